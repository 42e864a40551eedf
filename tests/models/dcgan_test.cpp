#include "models/dcgan.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "engine/ops/batch_norm.h"
#include "engine/ops/convolution.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/ops/shape.h"
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
testing::Numbers written_out(Dcgan& dcgan, const DcganOptions& options, const Tensor& z, bool training) {
  const auto p = dcgan.parameters();
  const auto state = dcgan.buffers();
  const auto count = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  auto x = testing::numbers(z);
  std::size_t channels = count(options.latent), height = 1, width = 1, layer = 0;
  for (const DcganStage& stage : dcgan_stages(options.image_height, options.image_width)) {
    const bool last = layer == options.channels.size();
    const std::size_t next = count(last ? options.image_channels : options.channels[layer]);
    x = testing::doubled(x, testing::numbers(p[3 * layer].variable->value()),
                         {channels, next, count(stage.kernel.rows), count(stage.kernel.columns), height, width,
                          count(stage.stride.padding.rows), count(stage.stride.padding.columns), count(stage.height),
                          count(stage.width)});
    channels = next, height = count(stage.height), width = count(stage.width);
    const std::size_t places = height * width;
    if (last) return channels_last(testing::sigmoid(x), channels, places);
    const auto used = training ? testing::statistics(x, channels, places)
                               : testing::Statistics{testing::numbers(*state[2 * layer].tensor),
                                                     testing::numbers(*state[2 * layer + 1].tensor)};
    x = testing::normalised(x, used, testing::numbers(p[3 * layer + 1].variable->value()),
                            testing::numbers(p[3 * layer + 2].variable->value()), places);
    x = testing::leaky_relu(x, 0);
    ++layer;
  }
  return {};
}

}  // namespace

TEST_CASE("the stages of a DCGAN give exactly the size that is asked, for every side from 8 to 256") {
  for (std::int64_t side = 8; side <= 256; ++side)
    for (const std::int64_t other : {std::int64_t{8}, side, std::int64_t{255}}) {
      CAPTURE(side);
      CAPTURE(other);
      const std::vector<DcganStage> stages = dcgan_stages(side, other);
      std::int64_t height = 1, width = 1;
      for (const DcganStage& stage : stages) {
        const Var next =
            engine::conv_transpose2d(Tensor::zeros({1, 1, height, width}),
                                     Tensor::zeros({1, 1, stage.kernel.rows, stage.kernel.columns}), stage.stride);
        height = next.dim(2), width = next.dim(3);
        CHECK(height == stage.height);
        CHECK(width == stage.width);
      }
      CHECK(height == side);
      CHECK(width == other);
      CHECK(stages.size() >= 3);
      CHECK(std::max(stages[0].height, stages[0].width) <= 5);
    }
}

TEST_CASE("for 28x28 images the stages are the paper's, and so are the channels") {
  const std::int64_t sides[] = {3, 7, 15, 28};
  const std::vector<DcganStage> stages = dcgan_stages(28, 28);
  REQUIRE(stages.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(stages[i].height == sides[i]);
    CHECK(stages[i].width == sides[i]);
    CHECK(stages[i].kernel == 3);
    CHECK(stages[i].stride.stride == 2);
    CHECK(stages[i].stride.padding == (i == 3 ? 2 : 0));
    CHECK(stages[i].stride.output_padding == (i == 3 ? 1 : 0));
  }
  CHECK(dcgan_channels(28, 28) == std::vector<std::int64_t>{256, 128, 64});
}

TEST_CASE("the default channels halve from 256 down to 16, one number a hidden image") {
  CHECK(dcgan_channels(8, 8) == std::vector<std::int64_t>{256, 128});
  CHECK(dcgan_channels(64, 40) == std::vector<std::int64_t>{256, 128, 64, 32});
  CHECK(dcgan_channels(20, 256) == std::vector<std::int64_t>{256, 128, 64, 32, 16, 16});
}

TEST_CASE("the paper's DCGAN gives, bit for bit, what its four layers give one after the other") {
  Dcgan dcgan({}, 11);
  const auto p = dcgan.parameters();
  const Tensor z = Random(11, 0).uniform({20, 100}, -1, 1);
  Var x = engine::reshape(engine::transpose(z), {100, 1, 1, 20});
  constexpr auto last = engine::Layout::batch_last;
  for (std::size_t layer = 0; layer < 3; ++layer) {
    x = engine::conv_transpose2d(x, *p[3 * layer].variable, {.stride = 2}, last);
    Tensor mean = Tensor::zeros({x.dim(0)}), variance = Tensor::full({x.dim(0)}, 1);
    x = engine::batch_norm2d_train(x, *p[3 * layer + 1].variable, *p[3 * layer + 2].variable, mean, variance, 0.1, 1e-5,
                                   last, engine::Activation::relu());
  }
  x = sigmoid(engine::conv_transpose2d(x, *p[9].variable, {.stride = 2, .padding = 2, .output_padding = 1}, last));
  const Tensor expected = engine::transpose(engine::reshape(x, {784, 20})).value(), made = dcgan(z).value();
  CHECK(made.shape() == expected.shape());
  CHECK(std::equal(made.values().begin(), made.values().end(), expected.values().begin()));
  // The parameters are those of an nn.Sequential under PyTorch's names.
  const Tensor weight = initial_parameter({64, 1, 3, 3}, 9, 11, "generator.9.weight");
  CHECK(std::equal(weight.values().begin(), weight.values().end(), p[9].variable->value().values().begin()));
}

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

TEST_CASE("the DCGAN equals the network written out, in training and in evaluation, for any size and channels") {
  for (const DcganOptions& options : {small, DcganOptions{5, {4, 3}, 1, 8, 8}, DcganOptions{5, {3, 4, 3, 2}, 3, 24, 40},
                                      DcganOptions{2, {3, 2, 2, 2}, 4, 70, 9}}) {
    CAPTURE(options.image_height);
    Dcgan dcgan(options, 3);
    const Tensor z = Random(3, 0).uniform({6, options.latent}, -1, 1);
    const Tensor trained = dcgan(z).value();
    CHECK(trained.shape() == Shape{6, options.image_channels * options.image_height * options.image_width});
    CHECK(testing::difference(trained, written_out(dcgan, options, z, true)) < 10 * testing::tolerance);
    dcgan.train(false);
    CHECK(testing::difference(dcgan(z).value(), written_out(dcgan, options, z, false)) < 10 * testing::tolerance);
  }
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

TEST_CASE("a DCGAN may end in tanh, or in its sums") {
  const Tensor z = Random(3, 0).uniform({6, 5}, -1, 1);
  DcganOptions options = small;
  options.last = {};
  Dcgan linear(options, 3);
  options.last = engine::Activation::tanh();
  Dcgan dcgan(options, 3);
  const Tensor sums = linear(z).value(), made = dcgan(z).value();
  CHECK(std::ranges::any_of(sums.values(), [](engine::real x) { return x < 0; }));
  for (std::size_t i = 0; i < sums.values().size(); ++i)
    CHECK(made.values()[i] == doctest::Approx(std::tanh(sums.values()[i])).epsilon(1e-5));
  CHECK(dcgan.pytorch().back() == "nn.Tanh()");
  CHECK(linear.pytorch().back().starts_with("nn.ConvTranspose2d("));
}

TEST_CASE("a DCGAN in PyTorch has a pair where an axis differs from the other, at the places of the parameters") {
  const Dcgan dcgan({5, {4, 3, 2, 2}, 3, 24, 40}, 1);
  CHECK(dcgan.pytorch() ==
        std::vector<std::string>{
            "nn.ConvTranspose2d(5, 4, (3, 4), stride=2, bias=False)", "nn.BatchNorm2d(4)", "nn.ReLU()",
            "nn.ConvTranspose2d(4, 3, 3, stride=2, padding=2, output_padding=1, bias=False)", "nn.BatchNorm2d(3)",
            "nn.ReLU()", "nn.ConvTranspose2d(3, 2, 3, stride=2, padding=2, output_padding=1, bias=False)",
            "nn.BatchNorm2d(2)", "nn.ReLU()", "nn.ConvTranspose2d(2, 2, 3, stride=2, bias=False)", "nn.BatchNorm2d(2)",
            "nn.ReLU()", "nn.ConvTranspose2d(2, 3, 3, stride=2, padding=2, output_padding=1, bias=False)",
            "nn.Sigmoid()"});
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

TEST_CASE("the DCGAN refuses sides out of range, other numbers of channels, and latents of another dimension") {
  CHECK_THROWS_WITH(Dcgan({.image_height = 7, .image_width = 30}, 1),
                    "[generator] the DCGAN makes images of 8 to 256 rows and columns: 7x30 asked; use --generator mlp "
                    "for other sizes");
  CHECK_THROWS_WITH(dcgan_stages(8, 257, "g"),
                    "[g] the DCGAN makes images of 8 to 256 rows and columns: 8x257 asked; use --generator mlp for "
                    "other sizes");
  CHECK_THROWS_WITH(Dcgan({.channels = {8, 4}}, 1),
                    "[generator] a DCGAN of 28x28 images has 3 hidden images: 2 numbers of channels given");
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
