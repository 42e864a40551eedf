#include "apps/config.h"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <span>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/read_json.h"
#include "data/file.h"
#include "data/sha256.h"
#include "engine/blas.h"
#include "engine/error.h"
#include "engine/simd/kernels.h"

namespace apps {

using engine::require;
using Json = nlohmann::ordered_json;

namespace {

template <class Facts, class Visit>
void for_each_fact(Facts& facts, const Visit& visit) {
  visit("count", facts.count);
  visit("dimension", facts.dimension);
  visit("height", facts.height);
  visit("width", facts.width);
  visit("channels", facts.channels);
  visit("sha256", facts.sha256);
  visit("weights_sha256", facts.weights_sha256);
  visit("low", facts.low);
  visit("high", facts.high);
}

Json to_json(const std::vector<data::Column>& columns) {
  Json list = Json::array();
  for (const data::Column& column : columns) {
    list.push_back({{"name", column.name}});
    if (column.whole) list.back()["whole"] = true;
    if (!column.categories.empty()) list.back()["categories"] = column.categories;
  }
  return list;
}

std::vector<data::Column> columns_from_json(const Json& list) {
  std::vector<data::Column> columns;
  for (const Json& json : list) {
    data::Column& column = columns.emplace_back();
    json.at("name").get_to(column.name);
    column.whole = json.value("whole", false);
    column.categories = json.value("categories", column.categories);
  }
  return columns;
}

/// Whether the number is the product of the sizes, which may be beyond 64 bits.
bool is_product(std::int64_t number, std::initializer_list<std::int64_t> sizes) {
  std::int64_t product = 1;
  return std::ranges::none_of(sizes,
                              [&](std::int64_t size) { return __builtin_mul_overflow(product, size, &product); }) &&
         product == number;
}

/// The processor's name as Linux gives it, empty where it does not.
std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name") && line.find(": ") != line.npos) return line.substr(line.find(": ") + 2);
  return "";
}

}  // namespace

namespace {

/// What is known of points that come one part after the other.
class GatheredFacts {
 public:
  void add(const data::Dataset& part) {
    const auto [low, high] = data::range_of(part);
    facts_.low = facts_.count == 0 ? low : std::min(facts_.low, low);
    facts_.high = facts_.count == 0 ? high : std::max(facts_.high, high);
    facts_.count += part.count;
    facts_.dimension = part.dimension;
    facts_.height = part.height;
    facts_.width = part.width;
    facts_.channels = part.channels;
    facts_.columns = part.columns;
    sha256_.add(part.bytes.empty() ? std::as_bytes(std::span(part.values)) : std::as_bytes(std::span(part.bytes)));
  }
  DataFacts all() {
    facts_.sha256 = sha256_.digest();
    return std::move(facts_);
  }

 private:
  DataFacts facts_;
  data::Sha256 sha256_;
};

}  // namespace

DataFacts facts_of(const data::Dataset& dataset) {
  GatheredFacts facts;
  facts.add(dataset);
  return facts.all();
}

DataFacts facts_in_parts(const std::string& source, std::int64_t count) {
  constexpr std::int64_t part = 4096;
  GatheredFacts facts;
  for (std::int64_t begin = 0; begin < count; begin += part)
    facts.add(data::load_part(source, begin, std::min(begin + part, count), digits_seed));
  return facts.all();
}

Arithmetic arithmetic_of_process() {
  return {engine::simd::name(engine::simd::kernels().level), engine::blas_core(), engine::blas_version()};
}

std::string precision() {
  return std::is_same_v<engine::real, double> ? "double" : "float";
}

void write_config(const std::string& path, const Config& config) {
  Json json;
  json["version"] = config.version;
  json["precision"] = config.precision;
  json["options"] = to_json(config.options);
  for_each_fact(config.data, [&](const char* name, const auto& value) { json["data"][name] = value; });
  if (!config.scaling.none()) json["scaling"] = {{"shift", config.scaling.shift()}, {"scale", config.scaling.scale()}};
  for (const ClassFacts& one : config.data.classes)
    json["data"]["classes"].push_back({{"name", one.name}, {"share", one.share}});
  if (!config.data.labels_sha256.empty()) json["data"]["labels_sha256"] = config.data.labels_sha256;
  if (!config.data.features_sha256.empty()) json["data"]["features_sha256"] = config.data.features_sha256;
  if (!config.data.columns.empty()) json["data"]["columns"] = to_json(config.data.columns);
  const Arithmetic arithmetic = arithmetic_of_process();
  json["machine"] = {{"cpu", cpu_name()},
                     {"cores", std::thread::hardware_concurrency()},
                     {"blas_core", arithmetic.blas_core},
                     {"blas_version", arithmetic.blas_version},
                     {"simd", arithmetic.simd}};
  data::write_file_atomically(path, json.dump(2) + "\n");
}

Config read_config(const std::string& path) {
  const Json json = read_json(path);
  Config config;
  std::vector<double> shift, scale;
  try {
    json.at("version").get_to(config.version);
    json.at("precision").get_to(config.precision);
    config.options = options_from_json(json.at("options"), path);
    for_each_fact(config.data, [&]<class Value>(const std::string& name, Value& value) {
      const Json& data = json.at("data");
      if (data.contains(name) || (name != "low" && name != "high"))
        value = json_value<Value>(data.at(name), engine::text(path, ": data.", name));
    });
    if (config.options.scale != "none") {
      json.at("scaling").at("shift").get_to(shift);
      json.at("scaling").at("scale").get_to(scale);
    }
    if (!config.options.labels.empty() || config.options.clusters > 0)
      for (const Json& one : json.at("data").at("classes"))
        config.data.classes.push_back({one.at("name").get<std::string>(), one.at("share").get<double>()});
    if (!config.options.labels.empty()) json.at("data").at("labels_sha256").get_to(config.data.labels_sha256);
    if (!config.options.cost_features.empty())
      json.at("data").at("features_sha256").get_to(config.data.features_sha256);
    if (json.at("data").contains("columns")) config.data.columns = columns_from_json(json.at("data").at("columns"));
    if (const Json machine = json.value("machine", Json::object()); machine.contains("blas_version"))
      config.arithmetic = {machine.at("simd"), machine.at("blas_core"), machine.at("blas_version")};
  } catch (const nlohmann::json::exception&) {
    engine::fail(
        path, " is not the config.json of a run: version, precision, options, data or scaling is missing or damaged");
  }
  const DataFacts& facts = config.data;
  require(facts.count >= 1 && facts.dimension >= 1 && facts.height >= 0 && facts.width >= 0 && facts.channels >= 0 &&
              (!facts.images() || is_product(facts.dimension, {facts.height, facts.width, facts.channels})) &&
              (facts.columns.empty() || data::width_of(facts.columns) == facts.dimension),
          path, ": the sizes of the data don't fit each other");
  try {
    if (config.options.scale != "none") config.scaling = Scaling(shift, scale);
    validate(config.options);
  } catch (const engine::Error& error) {
    engine::fail(path, ": ", error.what());
  }
  require(config.scaling.none() || std::ssize(config.scaling.shift()) == facts.dimension, path,
          ": its scaling is of dimension ", config.scaling.shift().size(), ", the data of ", facts.dimension);
  return config;
}

}  // namespace apps
