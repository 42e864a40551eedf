#include "apps/feature_network.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "data/safetensors.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "tests/apps/program.h"

using apps::DataFacts;
using apps::FeatureFacts;
using apps::FeatureNetwork;
using doctest::Contains;
using engine::Tensor;

namespace {

DataFacts images_of(int height, int width, int channels) {
  DataFacts facts;
  facts.dimension = std::int64_t{height} * width * channels;
  facts.height = height, facts.width = width, facts.channels = channels;
  return facts;
}

const DataFacts images = images_of(9, 12, 3);

Tensor some_images(std::int64_t count) {
  return engine::Random(1, 0).uniform({count, images.dimension}, 0, 1);
}

/// A classifier with five classes that has seen nothing, but claims to.
FeatureNetwork classifier() {
  FeatureFacts facts{"1.2.3", 9, 12, 3, 5, 0.9875, "digits", 100, "abc", "other digits", 7, 2};
  return {std::make_unique<models::Classifier>(
              models::ClassifierOptions{.height = 9, .width = 12, .channels = 3, .classes = 5}, 7),
          facts};
}

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::equal(a.values().begin(), a.values().end(), b.values().begin());
}

doctest::String refusal(const std::string& path, const DataFacts& facts) {
  try {
    FeatureNetwork::read(path, facts);
  } catch (const engine::Error& error) {
    return error.what();
  }
  return "(no error)";
}

}  // namespace

TEST_CASE("the random network gives 64 features of any images, and no classes") {
  const FeatureNetwork random = FeatureNetwork::random(images);
  CHECK_FALSE(random.classifies());
  CHECK(random.classes() == 0);
  CHECK(random.description() == "a random convolutional network (seed 0)");
  const FeatureNetwork::Output output = random(some_images(3));
  CHECK(output.features.shape() == engine::Shape{3, 64});
  CHECK(output.classes.empty());
  CHECK(output.confidence.empty());
  const auto values = output.features.values();
  CHECK(std::ranges::count_if(values, [](engine::real x) { return x > 0; }) > 3 * 10);
  CHECK(same(output.features, FeatureNetwork::random(images)(some_images(3)).features));
}

TEST_CASE("an image's features are its own, also past a batch, and the same bits on any number of threads") {
  const FeatureNetwork network = classifier();
  const Tensor all = some_images(600);
  const auto [features, classes, confidence] = network(all);
  const int before = engine::threads();
  engine::set_threads(1);
  CHECK(same(features, network(all).features));
  engine::set_threads(before);
  const Tensor last({1, images.dimension}, all.values().subspan(599 * static_cast<std::size_t>(images.dimension)));
  const FeatureNetwork::Output alone = network(last);
  for (std::size_t i = 0; i < 64; ++i)
    CHECK(alone.features.values()[i] == doctest::Approx(features.values()[599 * 64 + i]).epsilon(1e-5));
  CHECK(alone.classes[0] == classes[599]);
  CHECK(alone.confidence[0] == doctest::Approx(confidence[599]).epsilon(1e-5));
  CHECK(network(some_images(0)).features.size() == 0);
}

TEST_CASE("the class is the likeliest one, with its probability") {
  const FeatureNetwork::Output output = classifier()(some_images(50));
  models::Classifier network({.height = 9, .width = 12, .channels = 3, .classes = 5}, 7);
  const Tensor logits = network.logits(output.features).value();
  REQUIRE(output.classes.size() == 50);
  REQUIRE(output.confidence.size() == 50);
  for (std::size_t i = 0; i < 50; ++i) {
    const auto row = logits.values().subspan(5 * i, 5);
    double sum = 0;
    for (const double logit : row) sum += std::exp(logit);
    CHECK(row[output.classes[i]] == *std::max_element(row.begin(), row.end()));
    CHECK(output.confidence[i] == doctest::Approx(std::exp(static_cast<double>(row[output.classes[i]])) / sum));
  }
}

TEST_CASE("a file gives the network back to the bit, with what is known of it") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "features.safetensors";
  const FeatureNetwork written = classifier();
  written.write(path);
  const FeatureNetwork read = FeatureNetwork::read(path, images);
  CHECK(read.classifies());
  CHECK(read.classes() == 5);
  CHECK(read.accuracy() == 0.9875);
  CHECK(read.description() == "a classifier of 98.75% trained on digits (SHA-256 abc)");
  const FeatureNetwork::Output before = written(some_images(20)), after = read(some_images(20));
  CHECK(same(before.features, after.features));
  CHECK(before.classes == after.classes);
  CHECK(before.confidence == after.confidence);
  read.write(temporary / "again.safetensors");
  CHECK(content(temporary / "again.safetensors") == content(path));

  const data::Safetensors file = data::read_safetensors(path);
  CHECK(file.find("classifier.0.weight") != nullptr);
  CHECK(file.find("classifier.1.running_mean") != nullptr);
  const std::map<std::string, std::string> metadata{{"kind", "semidual features"},
                                                    {"version", "1.2.3"},
                                                    {"height", "9"},
                                                    {"width", "12"},
                                                    {"channels", "3"},
                                                    {"classes", "5"},
                                                    {"accuracy", "0.9875"},
                                                    {"data", "digits"},
                                                    {"points", "100"},
                                                    {"data_sha256", "abc"},
                                                    {"accuracy_data", "other digits"},
                                                    {"seed", "7"},
                                                    {"epochs", "2"}};
  CHECK(file.metadata == metadata);
}

TEST_CASE("points that are no images, or small ones, have no features") {
  DataFacts points;
  points.dimension = 2;
  CHECK_THROWS_WITH_AS(FeatureNetwork::random(points), "features are of images: these are points of dimension 2",
                       engine::Error);
  CHECK_THROWS_WITH_AS(FeatureNetwork::random(images_of(7, 28, 1)),
                       "features are of images of at least 8x8 pixels: these are 7x28", engine::Error);
}

TEST_CASE("files that won't do are refused by name, each with its reason") {
  const TemporaryFolder temporary;
  const std::string path = temporary / "features.safetensors";
  classifier().write(path);
  const data::Safetensors sound = data::read_safetensors(path);
  const auto refused = [&](const std::string& why, const auto& change) {
    data::Safetensors file = sound;
    change(file);
    data::write_safetensors(path, file);
    const std::string message = refusal(path, images).c_str();
    CHECK_MESSAGE(message.find(path + why) == 0, message);
  };
  CHECK(refusal(temporary / "missing", images) == Contains("missing: can't be read"));
  CHECK(refusal(path, images_of(28, 28, 1)) ==
        Contains("features.safetensors: its features are of 9x12 colour images, these are 28x28 grey images: make "
                 "others with semidual features"));
  refused(" is not a file of features: give one that semidual features wrote", [](data::Safetensors& file) {
    file.metadata = {{"iteration", "3"}};
  });
  refused(": damaged: its metadata has no 'classes'", [](data::Safetensors& file) { file.metadata.erase("classes"); });
  refused(": damaged: its metadata has a wrong 'height'",
          [](data::Safetensors& file) { file.metadata["height"] = "9 px"; });
  refused(": damaged: its metadata has 1 classes", [](data::Safetensors& file) { file.metadata["classes"] = "1"; });
  refused(": damaged: tensor classifier.9.weight is [5, 64], it should be [6, 64]",
          [](data::Safetensors& file) { file.metadata["classes"] = "6"; });
  refused(": damaged: a tensor holds NaN or infinity", [](data::Safetensors& file) {
    file.tensors[0] = data::NamedTensor::of<double>("x", {1}, std::vector<double>{NAN});
  });
}
