#include "apps/feature_network.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <functional>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>

#include "apps/checkpoint.h"
#include "data/images.h"
#include "engine/error.h"
#include "engine/tape.h"

namespace apps {

using engine::real;
using engine::require;
using engine::Tensor;
using models::Classifier;

namespace {

constexpr std::uint64_t random_seed = 0;
constexpr std::int64_t batch = 256;  // images at a time
constexpr const char *kind_key = "kind", *kind = "semidual features";

template <class Facts, class Visit>
void for_each_fact(Facts& facts, const Visit& visit) {
  visit("version", facts.version);
  visit("height", facts.height);
  visit("width", facts.width);
  visit("channels", facts.channels);
  visit("classes", facts.classes);
  visit("accuracy", facts.accuracy);
  visit("data", facts.data);
  visit("points", facts.points);
  visit("data_sha256", facts.data_sha256);
  visit("accuracy_data", facts.accuracy_data);
  visit("seed", facts.seed);
  visit("epochs", facts.epochs);
}

/// Whether `text` is a number, or anything for a text, which `value` then is.
template <class Value>
bool parse(const std::string& text, Value& value) {
  if constexpr (std::is_same_v<Value, std::string>) {
    value = text;
    return true;
  } else {
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    return parsed.ec == std::errc() && parsed.ptr == end;
  }
}

std::string images_in_words(int height, int width, int channels) {
  return engine::text(height, "x", width, " ", data::colours_of(channels), " images");
}

std::unique_ptr<Classifier> make_network(int height, int width, int channels, int classes, std::uint64_t seed) {
  return std::make_unique<Classifier>(
      models::ClassifierOptions{.height = height, .width = width, .channels = channels, .classes = classes}, seed);
}

ot::NamedTensors tensors_of(Classifier& network) {
  ot::NamedTensors tensors;
  for (const models::Parameter& p : network.parameters()) tensors.emplace_back(p.name, p.variable->value());
  for (const models::State& buffer : network.buffers()) tensors.emplace_back(buffer.name, *buffer.tensor);
  return tensors;
}

}  // namespace

void require_feature_images(const DataFacts& images, const std::string& which) {
  constexpr std::int64_t smallest = Classifier::smallest_side;
  require(images.images(), "features are of images: ", which, " are points of dimension ", images.dimension);
  require(std::min(images.height, images.width) >= smallest, "features are of images of at least ", smallest, "x",
          smallest, " pixels: ", which, " are ", images.height, "x", images.width);
}

FeatureNetwork::FeatureNetwork(std::unique_ptr<Classifier> network, FeatureFacts facts)
    : network_(std::move(network)), facts_(std::move(facts)) {}

FeatureNetwork FeatureNetwork::random(const DataFacts& images) {
  require_feature_images(images);
  // The classes stay unused.
  return {make_network(images.height, images.width, images.channels, 2, random_seed), FeatureFacts{}};
}

std::optional<FeatureNetwork> FeatureNetwork::of(const std::string& file, const DataFacts& images) {
  if (!file.empty()) return read(file, images);
  if (std::min(images.height, images.width) < models::Classifier::smallest_side) return {};
  return random(images);
}

FeatureNetwork FeatureNetwork::read(const std::string& path, const DataFacts& images) {
  require_feature_images(images);
  const data::Safetensors file = data::read_safetensors(path);
  const auto is_kind = file.metadata.find(kind_key);
  require(is_kind != file.metadata.end() && is_kind->second == kind, path,
          " is not a file of features: give one that semidual features wrote");
  FeatureFacts facts;
  for_each_fact(facts, [&](const char* name, auto& value) {
    const auto found = file.metadata.find(name);
    require(found != file.metadata.end() && parse(found->second, value), path, ": damaged: its metadata has ",
            found == file.metadata.end() ? "no '" : "a wrong '", name, "'");
  });
  require(facts.height == images.height && facts.width == images.width && facts.channels == images.channels, path,
          ": its features are of ", images_in_words(facts.height, facts.width, facts.channels), ", these are ",
          images_in_words(images.height, images.width, images.channels), ": make others with semidual features");
  require(facts.classes >= 2 && facts.classes <= 256, path, ": damaged: its metadata has ", facts.classes, " classes");

  auto network = make_network(facts.height, facts.width, facts.channels, facts.classes, 0);
  try {
    const ot::NamedTensors tensors = from_safetensors(file);
    require(all_finite(tensors), "a tensor holds NaN or infinity");
    copy_tensors(tensors, tensors_of(*network));
  } catch (const engine::Error& error) {
    engine::fail(path, ": damaged: ", error.what());
  }
  return {std::move(network), std::move(facts)};
}

void FeatureNetwork::measure_accuracy(const Tensor& images, std::span<const std::uint8_t> labels) {
  const std::vector<std::uint8_t> told = (*this)(images).classes;
  require(told.size() == labels.size(), "[features] there must be a label for each image: ", labels.size(), " for ",
          told.size());
  const auto right = std::transform_reduce(told.begin(), told.end(), labels.begin(), std::int64_t{0}, std::plus<>(),
                                           std::equal_to<>());
  facts_.accuracy = static_cast<double>(right) / static_cast<double>(told.size());
}

void FeatureNetwork::write(const std::string& path) const {
  data::Safetensors file = to_safetensors(tensors_of(*network_));
  file.metadata[kind_key] = kind;
  for_each_fact(facts_, [&](const char* name, const auto& value) { file.metadata[name] = engine::text(value); });
  data::write_safetensors(path, file);
}

std::string FeatureNetwork::description() const {
  if (!classifies()) return engine::text("a random convolutional network (seed ", random_seed, ")");
  char percent[32];
  std::snprintf(percent, sizeof percent, "%.2f%%", 100 * facts_.accuracy);
  return engine::text("a classifier of ", percent, " trained on ", facts_.data, " (SHA-256 ", facts_.data_sha256, ")");
}

FeatureNetwork::Output FeatureNetwork::operator()(const Tensor& images) const {
  const engine::NoGrad off_tape;
  const std::int64_t count = images.dim(0), dimension = images.dim(1), width = Classifier::feature_count;
  Output output{Tensor({count, width}), {}, {}};
  for (std::int64_t begin = 0; begin < count; begin += batch) {
    const std::int64_t some = std::min(batch, count - begin);
    const engine::Var features = network_->features(
        Tensor({some, dimension},
               std::span(images.data() + begin * dimension, static_cast<std::size_t>(some * dimension))),
        false);
    std::copy_n(features.value().data(), some * width, output.features.data() + begin * width);
    if (!classifies()) continue;
    const Tensor logits = network_->logits(features).value();
    for (std::int64_t i = 0; i < some; ++i) {
      const std::span<const real> row =
          logits.values().subspan(static_cast<std::size_t>(i * classes()), static_cast<std::size_t>(classes()));
      const auto likeliest = std::max_element(row.begin(), row.end());
      double sum = 0;
      for (const real logit : row) sum += std::exp(static_cast<double>(logit) - *likeliest);
      output.classes.push_back(static_cast<std::uint8_t>(likeliest - row.begin()));
      output.confidence.push_back(1 / sum);
    }
  }
  return output;
}

}  // namespace apps
