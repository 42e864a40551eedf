#include "models/classifier.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "tests/models/oracle.h"

using namespace models;
using engine::Random;
using engine::Shape;
using engine::Tensor;
using engine::Var;

namespace {

const ClassifierOptions small{.height = 9, .width = 15, .channels = 3, .classes = 4};

// The network written out, on the batch's statistics or on the running ones: the logits.
testing::Numbers written_out(Classifier& classifier, const Tensor& images, bool training) {
  const auto p = classifier.parameters();
  const auto state = classifier.buffers();
  const auto parameter = [&](std::size_t i) { return testing::numbers(p[i].variable->value()); };
  std::size_t channels = 3, height = 9, width = 15, places = height * width;
  testing::Numbers x(static_cast<std::size_t>(images.size()));
  for (std::size_t i = 0; i < x.size(); ++i)  // [B, places, channels] -> [B, channels, places]
    x[(i / (places * channels) * channels + i % channels) * places + i / channels % places] = images.values()[i];
  for (std::size_t layer = 0; layer < 2; ++layer) {
    const std::size_t next = layer == 0 ? 32 : 64;
    x = testing::halved(x, parameter(3 * layer), {channels, next, layer == 0 ? 5u : 3u, height, width});
    channels = next, height = (height + 1) / 2, width = (width + 1) / 2, places = height * width;
    const auto used = training ? testing::statistics(x, channels, places)
                               : testing::Statistics{testing::numbers(*state[2 * layer].tensor),
                                                     testing::numbers(*state[2 * layer + 1].tensor)};
    x = testing::normalised(x, used, parameter(3 * layer + 1), parameter(3 * layer + 2), places);
    x = testing::leaky_relu(x, 0);
  }
  x = testing::leaky_relu(testing::linear(x, parameter(6), parameter(7)), 0);
  return testing::linear(x, parameter(8), parameter(9));
}

}  // namespace

TEST_CASE("the classifier has the names and layouts of an nn.Sequential") {
  Classifier classifier(ClassifierOptions{}, 1);
  const std::vector<std::pair<std::string, Shape>> expected{{"classifier.0.weight", {32, 1, 5, 5}},
                                                            {"classifier.1.weight", {32}},
                                                            {"classifier.1.bias", {32}},
                                                            {"classifier.3.weight", {64, 32, 3, 3}},
                                                            {"classifier.4.weight", {64}},
                                                            {"classifier.4.bias", {64}},
                                                            {"classifier.7.weight", {64, 3136}},
                                                            {"classifier.7.bias", {64}},
                                                            {"classifier.9.weight", {10, 64}},
                                                            {"classifier.9.bias", {10}}};
  const auto parameters = classifier.parameters();
  REQUIRE(parameters.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(parameters[i].name == expected[i].first);
    CHECK(parameters[i].variable->shape() == expected[i].second);
  }
  const auto buffers = classifier.buffers();
  REQUIRE(buffers.size() == 4);
  CHECK(buffers[0].name == "classifier.1.running_mean");
  CHECK(buffers[3].name == "classifier.4.running_var");
}

TEST_CASE("images of any size from 8x8 on are halved until they are at most 7x7") {
  const auto last_layer = [](std::int64_t height, std::int64_t width) {
    Classifier classifier({.height = height, .width = width, .channels = 3, .classes = 256}, 1);
    const Var features = classifier.features(Tensor::zeros({2, height * width * 3}), false);
    CHECK(features.shape() == Shape{2, Classifier::feature_count});
    CHECK(classifier.logits(features).shape() == Shape{2, 256});
    const auto parameters = classifier.parameters();
    return std::pair(parameters[parameters.size() - 4].name, parameters[parameters.size() - 4].variable->shape());
  };
  CHECK(last_layer(8, 8) == std::pair(std::string("classifier.7.weight"), Shape{64, 64 * 2 * 2}));
  CHECK(last_layer(28, 25) == std::pair(std::string("classifier.7.weight"), Shape{64, 64 * 7 * 7}));
  CHECK(last_layer(29, 8) == std::pair(std::string("classifier.10.weight"), Shape{64, 64 * 4 * 1}));
  CHECK(last_layer(8, 64) == std::pair(std::string("classifier.13.weight"), Shape{64, 64 * 1 * 4}));
}

TEST_CASE("the classifier equals the network written out, in training and in evaluation") {
  Classifier classifier(small, 3);
  const Tensor images = Random(3, 0).uniform({6, 9 * 15 * 3}, 0, 1);
  for (const bool training : {true, false}) {
    const auto expected = written_out(classifier, images, training);
    CHECK(testing::difference(classifier.logits(classifier.features(images, training)).value(), expected) <
          10 * testing::tolerance);
  }
}

TEST_CASE("untrained features are of the size of the pixels") {
  Classifier classifier({}, 5);
  const Tensor images = Random(4, 0).uniform({50, 784}, 0, 1);
  const auto mean_square = [](const Var& x) { return mean(x * x).value().item(); };
  const double ratio = mean_square(classifier.features(images, false)) / mean_square(images);
  CHECK(ratio > 0.03);  // the linear layer takes a sixth
  CHECK(ratio < 1);
}

TEST_CASE("gradients reach every parameter of the classifier") {
  Classifier classifier(small, 3);
  engine::Tape tape;
  std::vector<Var> leaves;
  for (const Parameter& parameter : classifier.parameters()) {
    tape.watch(*parameter.variable);
    leaves.push_back(*parameter.variable);
  }
  const Var y = classifier.logits(classifier.features(Random(3, 0).uniform({8, 9 * 15 * 3}, 0, 1), true));
  for (const Var& gradient : tape.gradient(sum(y * y), leaves)) {
    const auto values = gradient.value().values();
    CHECK(std::any_of(values.begin(), values.end(), [](engine::real g) { return g != 0; }));
  }
}

TEST_CASE("the classifier gives the same bits on any number of threads") {
  const int before = engine::threads();
  const Tensor images = Random(4, 0).uniform({37, 784}, 0, 1);
  Tensor first;
  for (int count : {1, 2, 3}) {
    engine::set_threads(count);
    Classifier classifier({}, 5);
    const Tensor y = classifier.logits(classifier.features(images, true)).value();
    if (!first.defined()) first = y;
    CHECK(std::equal(y.values().begin(), y.values().end(), first.values().begin()));
  }
  engine::set_threads(before);
}

TEST_CASE("the classifier refuses images that are too small or of other sizes, and a single class") {
  CHECK_THROWS_WITH(Classifier({.height = 7}, 1), "[classifier] images must be at least 8x8: 7x28");
  CHECK_THROWS_WITH(Classifier({.classes = 1}, 1), "[classifier] there must be at least 2 classes: 1");
  CHECK_THROWS_WITH(Classifier({.channels = 0}, 1),
                    "[classifier.0] a convolution's channels and kernel must be at least 1: 0 to 32, kernel 5");
  Classifier classifier(small, 1);
  CHECK_THROWS_WITH(classifier.features(Tensor::zeros({2, 784}), false),
                    "[classifier] images must be [B, 405]: [2, 784]");
}
