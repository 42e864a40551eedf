#include "apps/config.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "data/npy.h"
#include "engine/error.h"
#include "tests/apps/program.h"
#include "tests/data/damage.h"

using doctest::Contains;

namespace {

apps::Config example() {
  apps::TrainOptions options = apps::preset_options("best", "vector", "");
  options.data = "digits";
  options.scale = "none";
  return {"9.9", "float", options, {3, 12, 2, 2, 3, "abc", "def"}};
}

}  // namespace

TEST_CASE("config.json holds options, data and machine, and comes back") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "config.json";
  const apps::Config config = example();
  apps::write_config(path, config);
  const apps::Config read = apps::read_config(path);
  CHECK(read.version == "9.9");
  CHECK(read.precision == "float");
  CHECK(apps::to_json(read.options) == apps::to_json(config.options));
  CHECK(read.data.count == 3);
  CHECK(read.data.channels == 3);
  CHECK(read.data.sha256 == "abc");
  CHECK(read.data.weights_sha256 == "def");
  const auto json = nlohmann::json::parse(content(path));
  for (const char* name : {"cpu", "cores", "blas_core", "simd"}) CHECK(json.at("machine").contains(name));
}

TEST_CASE("config.json holds the classes of a conditional generator") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "config.json";
  apps::Config config = example();
  config.options.labels = "own";
  config.data.classes = {{"cat", 0.25}, {"dog", 0.75}};
  config.data.labels_sha256 = "ghi";
  apps::write_config(path, config);
  const apps::Config read = apps::read_config(path);
  REQUIRE(read.data.classes.size() == 2);
  CHECK(read.data.classes[1].name == "dog");
  CHECK(read.data.classes[1].share == 0.75);
  CHECK(read.data.labels_sha256 == "ghi");
}

TEST_CASE("config.json holds how points are scaled, to the last bit") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "config.json";
  apps::Config config = example();
  config.data = {3, 2, 0, 0, 0, "abc", "", -1, 7};
  config.options.scale = "whiten";
  config.scaling = apps::Scaling({0.1 + 0.2, -3}, {2, 0.1, 0.1, 1.0 / 3});
  apps::write_config(path, config);
  const apps::Config read = apps::read_config(path);
  CHECK(read.scaling.shift() == config.scaling.shift());
  CHECK(read.scaling.scale() == config.scaling.scale());
  CHECK(read.data.low == -1);
  CHECK(read.data.high == 7);
  config.scaling = apps::Scaling({1}, {1});
  apps::write_config(path, config);
  CHECK_THROWS_WITH_AS(apps::read_config(path), Contains("its scaling is of dimension 1, the data of 2"),
                       engine::Error);
  config.scaling = {};
  apps::write_config(path, config);
  CHECK_THROWS_WITH_AS(apps::read_config(path), Contains("scaling is missing or damaged"), engine::Error);
}

TEST_CASE("config.json holds the columns of a table, which come back, and which an older one lacks") {
  const TemporaryFolder temporary;
  apps::Config config = example();
  config.data = {3, 4, 0, 0, 0, "abc", ""};
  config.data.columns = {{"n", true}, {"", false}, {"kind \"\u00e9\"", false, {"a", "b"}}};
  apps::write_config(temporary / "config.json", config);
  CHECK(apps::read_config(temporary / "config.json").data.columns == config.data.columns);
  config.data.columns.pop_back();
  apps::write_config(temporary / "config.json", config);
  CHECK_THROWS_WITH_AS(apps::read_config(temporary / "config.json"), Contains("the sizes of the data don't fit"),
                       engine::Error);
  config.data.columns.clear();
  apps::write_config(temporary / "config.json", config);
  CHECK(apps::read_config(temporary / "config.json").data.columns.empty());
}

TEST_CASE("a config.json that is missing, damaged or lying is refused") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "config.json";
  CHECK_THROWS_WITH_AS(apps::read_config(path), Contains(path.c_str()), engine::Error);
  for (const char* text : {"", "{", "[]", "{\"version\": 3}"}) {
    write(path, text);
    CHECK_THROWS_WITH_AS(apps::read_config(path), Contains("is not the config.json of a run"), engine::Error);
  }
  apps::Config config = example();
  config.data.height = 5;
  apps::write_config(path, config);
  CHECK_THROWS_WITH_AS(apps::read_config(path), Contains("the sizes of the data don't fit each other"), engine::Error);
  config = example();
  config.options.batch = 0;
  apps::write_config(path, config);
  CHECK_THROWS_WITH_AS(apps::read_config(path), Contains((path + ": --batch must be at least 1").c_str()),
                       engine::Error);
  config = example();
  config.options.scale = "standard";
  config.scaling = apps::Scaling({1}, {1});
  apps::write_config(path, config);
  std::string json = content(path);
  write(path, json.replace(json.rfind('['), 1, "[1,"));
  CHECK_THROWS_WITH_AS(apps::read_config(path), Contains((path + ": [scaling] the scale must be [1]").c_str()),
                       engine::Error);
}

TEST_CASE("a number in config.json that is none of the integers of its type is refused by its key") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "config.json";
  apps::write_config(path, example());
  const auto written = nlohmann::ordered_json::parse(content(path));
  const auto refused = [&](const char* part, const char* key, const std::string& number, const std::string& why) {
    auto changed = written;
    changed[part][key] = nlohmann::ordered_json::parse(number);
    write(path, changed.dump());
    CHECK_THROWS_WITH_AS(apps::read_config(path), (path + ": " + why + " can't be " + number).c_str(), engine::Error);
  };
  for (const char* number : {"6.5e+47", "-6.5e+47", "1.5", "9223372036854775808", "true"})
    refused("data", "count", number, "data.count");
  refused("data", "height", "4294967298", "data.height");
  refused("options", "points", "6.5e+47", "option 'points'");
  refused("options", "threads", "-2147483649", "option 'threads'");
  refused("options", "seed", "-1", "option 'seed'");
  refused("options", "seed", "1e+20", "option 'seed'");
}

TEST_CASE("wherever config.json ends early, and whichever bit of it flips, it is refused by its name or read") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "config.json";
  apps::write_config(path, example());
  const std::string text = content(path), json = text.substr(0, text.size() - 1);
  const auto read = [&] { return apps::read_config(path).data.columns.empty() ? "read" : "columns"; };
  check_prefixes_refused(path, json, read);
  check_flips(path, json, read, [](const auto&) { return "read"; });
}

TEST_CASE("sizes of images beyond 64 bits don't fit any dimension") {
  const TemporaryFolder temporary;
  apps::Config config = example();
  config.data.dimension = 1;
  config.data.height = config.data.width = config.data.channels = 1 << 30;
  apps::write_config(temporary / "config.json", config);
  CHECK_THROWS_WITH_AS(apps::read_config(temporary / "config.json"), Contains("the sizes of the data don't fit"),
                       engine::Error);
}

TEST_CASE("facts tell images from points, and data by their checksum") {
  data::Dataset images;
  images.count = 1;
  images.dimension = 4;
  images.height = images.width = 2;
  images.channels = 1;
  images.bytes = std::vector<std::uint8_t>{'a', 'b', 'c', 0};
  const apps::DataFacts facts = apps::facts_of(images);
  CHECK(facts.images());
  images.bytes = std::vector<std::uint8_t>{'a', 'b', 'c', 1};
  CHECK(apps::facts_of(images).sha256 != facts.sha256);

  data::Dataset points;
  points.count = points.dimension = 1;
  points.values = std::vector<engine::real>{0};
  CHECK_FALSE(apps::facts_of(points).images());
  CHECK(apps::facts_of(points).sha256.size() == 64);
}

TEST_CASE("the facts of points that are loaded in parts are those of all") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "points.npy";
  std::vector<float> values(2 * 9000);
  std::iota(values.begin(), values.end(), -3.0f);
  std::ranges::reverse(values);
  data::write_npy<float>(path, {9000, 2}, values);
  for (const std::string& source : {std::string("digits"), path}) {
    CAPTURE(source);
    const apps::DataFacts facts = apps::facts_in_parts(source, 9000),
                          all = apps::facts_of(data::load(source, 9000, apps::digits_seed));
    CHECK(facts.count == 9000);
    CHECK(facts.dimension == all.dimension);
    CHECK(facts.height == all.height);
    CHECK(facts.width == all.width);
    CHECK(facts.channels == all.channels);
    CHECK(facts.low == all.low);
    CHECK(facts.high == all.high);
    CHECK(facts.sha256 == all.sha256);
  }
}
