#include "models/dcgan.h"

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

const DcganOptions small{.latent = 5, .channels = {4, 3, 2}, .image_channels = 2};

// [batch, channels, places] -> [batch, places, channels], as data sets hold images.
testing::Numbers channels_last(const testing::Numbers& x, std::size_t channels, std::size_t places) {
  testing::Numbers y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    y[(i / places / channels * places + i % places) * channels + i / places % channels] = x[i];
  return y;
}

// The network written out, on the batch's statistics or on the given running ones.
testing::Numbers written_out(Dcgan& dcgan, const Tensor& z, bool training) {
  const auto p = dcgan.parameters();
  const auto state = dcgan.buffers();
  const std::size_t channels[] = {5, 4, 3, 2, 2}, sides[] = {1, 3, 7, 15, 28};
  const auto batch = static_cast<std::size_t>(z.dim(0));
  auto x = testing::numbers(z);
  for (std::size_t layer = 0; layer < 4; ++layer) {
    x = testing::conv_transpose(x, testing::numbers(p[3 * layer].variable->value()), batch, channels[layer],
                                channels[layer + 1], sides[layer], layer == 3 ? 2 : 0, sides[layer + 1]);
    if (layer == 3) return channels_last(testing::sigmoid(x), 2, 28 * 28);
    const std::size_t places = sides[layer + 1] * sides[layer + 1];
    const auto used = training ? testing::statistics(x, channels[layer + 1], places)
                               : testing::Statistics{testing::numbers(*state[2 * layer].tensor),
                                                     testing::numbers(*state[2 * layer + 1].tensor)};
    x = testing::normalised(x, used, testing::numbers(p[3 * layer + 1].variable->value()),
                            testing::numbers(p[3 * layer + 2].variable->value()), places);
    x = testing::leaky_relu(x, 0);
  }
  return x;
}

}  // namespace

TEST_CASE("the paper's DCGAN has PyTorch's names and layouts") {
  Dcgan dcgan(DcganOptions{}, 1);
  const std::vector<std::pair<std::string, Shape>> expected{
      {"generator.0.weight", {100, 256, 3, 3}}, {"generator.1.weight", {256}}, {"generator.1.bias", {256}},
      {"generator.3.weight", {256, 128, 3, 3}}, {"generator.4.weight", {128}}, {"generator.4.bias", {128}},
      {"generator.6.weight", {128, 64, 3, 3}},  {"generator.7.weight", {64}},  {"generator.7.bias", {64}},
      {"generator.9.weight", {64, 1, 3, 3}}};
  const auto parameters = dcgan.parameters();
  REQUIRE(parameters.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(parameters[i].name == expected[i].first);
    CHECK(parameters[i].variable->shape() == expected[i].second);
  }
  const auto buffers = dcgan.buffers();
  REQUIRE(buffers.size() == 6);
  CHECK(buffers[0].name == "generator.1.running_mean");
  CHECK(buffers[3].name == "generator.4.running_var");
  CHECK(buffers[5].tensor->shape() == Shape{64});
  CHECK(dcgan.latent_dimension() == 100);
  CHECK(dcgan.output_size() == 784);
  CHECK(Dcgan(small, 1, "g").parameters()[0].name == "g.0.weight");
}

TEST_CASE("the DCGAN equals the network written out, in training and in evaluation") {
  Dcgan dcgan(small, 3);
  const Tensor z = Random(3, 0).uniform({6, 5}, -1, 1);
  const Tensor trained = dcgan(z).value();
  CHECK(trained.shape() == Shape{6, 2 * 784});
  CHECK(testing::difference(trained, written_out(dcgan, z, true)) < 10 * testing::tolerance);
  dcgan.train(false);
  CHECK(testing::difference(dcgan(z).value(), written_out(dcgan, z, false)) < 10 * testing::tolerance);
}

TEST_CASE("the DCGAN's running statistics move in training only, with a tape or without") {
  Dcgan dcgan(small, 3);
  const Tensor z = Random(3, 0).uniform({6, 5}, -1, 1);
  const auto variance = [&] { return dcgan.buffers()[1].tensor->values()[0]; };
  CHECK(variance() == 1);
  dcgan(z);
  const auto once = variance();
  CHECK(once != 1);
  {
    engine::Tape tape;
    dcgan(z);
  }
  const auto twice = variance();
  CHECK(twice != once);
  CHECK_FALSE(dcgan.rows_apart());
  dcgan.train(false);
  CHECK(dcgan.rows_apart());
  dcgan(z);
  CHECK(variance() == twice);
}

TEST_CASE("gradients reach every parameter of the DCGAN") {
  Dcgan dcgan(small, 3);
  engine::Tape tape;
  std::vector<Var> leaves;
  for (const Parameter& parameter : dcgan.parameters()) {
    tape.watch(*parameter.variable);
    leaves.push_back(*parameter.variable);
  }
  const Var y = dcgan(Random(3, 0).uniform({8, 5}, -1, 1));
  for (const Var& gradient : tape.gradient(sum(y * y), leaves)) {
    const auto values = gradient.value().values();
    CHECK(std::any_of(values.begin(), values.end(), [](engine::real g) { return g != 0; }));
  }
}

TEST_CASE("the DCGAN gives the same bits on any number of threads") {
  const int before = engine::threads();
  const Tensor z = Random(4, 0).uniform({37, 100}, -1, 1);
  Tensor first;
  for (int count : {1, 2, 3}) {
    engine::set_threads(count);
    Dcgan dcgan(DcganOptions{}, 5);
    const Tensor y = dcgan(z).value();
    if (!first.defined()) first = y;
    CHECK(std::equal(y.values().begin(), y.values().end(), first.values().begin()));
  }
  engine::set_threads(before);
}

TEST_CASE("the DCGAN refuses other image sizes, and latents of another dimension") {
  CHECK_THROWS_WITH(Dcgan({.image_height = 32, .image_width = 30}, 1),
                    "[generator] the DCGAN makes 28x28 images: 32x30 asked; use --generator mlp for other sizes");
  CHECK_THROWS_WITH(Dcgan({.latent = 0}, 1),
                    "[generator.0] a convolution's channels and kernel must be at least 1: 0 to 256, kernel 3");
  Dcgan dcgan(small, 1);
  CHECK_THROWS_WITH(dcgan(Tensor::zeros({2, 4})), "[generator] z must be [B, 5]: [2, 4]");
}

TEST_CASE("settled, a DCGAN makes the same points of a batch in evaluation as in training") {
  Dcgan dcgan({}, 3);
  const Tensor z = engine::Random(5, 0).uniform({64, 100}, -1, 1);
  const Tensor in_training = dcgan(z).value();
  dcgan.settle(z);
  dcgan.train(false);
  const Tensor in_evaluation = dcgan(z).value();
  // The variance that serves is unbiased, n / (n - 1) times the batch's, and n is at least 64 * 9.
  for (std::size_t i = 0; i < in_training.values().size(); ++i)
    CHECK(in_evaluation.values()[i] == doctest::Approx(in_training.values()[i]).epsilon(5e-3));
}
