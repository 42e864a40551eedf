#include "models/layers.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/random.h"
#include "tests/models/oracle.h"

using namespace models;
using engine::Random;
using engine::Shape;
using engine::Tensor;

namespace {
void check_within(const Tensor& values, double bound) {
  double largest = 0, mean = 0;
  for (const engine::real value : values.values()) {
    largest = std::max(largest, std::abs(static_cast<double>(value)));
    mean += static_cast<double>(value) / static_cast<double>(values.size());
  }
  CHECK(largest <= bound * (1 + 1e-6));
  CHECK(largest > 0.98 * bound);  // of thousands of draws some come near
  CHECK(std::abs(mean) < 5 * bound / std::sqrt(3 * static_cast<double>(values.size())));
}
}  // namespace

TEST_CASE("a linear layer is x weight^T + bias") {
  Linear layer("net.0", 3, 2, 1);
  CHECK(layer.weight.shape() == Shape{2, 3});
  CHECK(layer.bias.shape() == Shape{2});
  layer.weight = Tensor(Shape{2, 3}, {1, 2, 3, 4, 5, 6});
  layer.bias = Tensor(Shape{2}, {10, 20});
  const Tensor y = layer(Tensor(Shape{2, 3}, {1, 0, -1, 2, 1, 0})).value();
  CHECK(testing::difference(y, {8, 18, 14, 33}) == 0);
}

TEST_CASE("a convolution sums each kernel's pixels, and equals the direct loop") {
  Conv2d layer("net.0", 1, 1, 3, {}, 1);
  layer.weight = Tensor(Shape{1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(testing::difference(layer(Tensor(Shape{1, 1, 3, 4}, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 10})).value(),
                            {1 + 5, 4 + 90}) == 0);
  const Conv2d halving("net.0", 3, 2, 5, {.stride = 2, .padding = 2}, 1);
  const Tensor x = Random(1, 1).normal({2, 3, 5, 6}, 0, 1);
  const Tensor y = halving(x).value();
  CHECK(y.shape() == Shape{2, 2, 3, 3});
  CHECK(testing::difference(y, testing::halved(testing::numbers(x), testing::numbers(halving.weight.value()),
                                               {3, 2, 5, 5, 6})) < testing::tolerance);
}

TEST_CASE("a transposed convolution spreads each pixel over a kernel, and kernels that meet add up") {
  ConvTranspose2d layer("net.0", 1, 1, 3, {.stride = 2}, 1);
  layer.weight = Tensor(Shape{1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const Tensor y = layer(Tensor(Shape{1, 1, 1, 2}, {1, 10})).value();
  CHECK(y.shape() == Shape{1, 1, 3, 5});
  CHECK(testing::difference(y, {1, 2, 3 + 10, 20, 30, 4, 5, 6 + 40, 50, 60, 7, 8, 9 + 70, 80, 90}) == 0);
}

TEST_CASE("a transposed convolution equals the direct loop, cropped and padded too") {
  ConvTranspose2d layer("net.0", 3, 2, 3, {.stride = 2, .padding = 2, .output_padding = 1}, 1);
  const Tensor x = Random(1, 1).normal({2, 3, 5, 5}, 0, 1);
  const Tensor y = layer(x).value();
  CHECK(y.shape() == Shape{2, 2, 8, 8});
  const auto weight = testing::numbers(layer.weight.value());
  CHECK(testing::difference(y, testing::doubled(testing::numbers(x), weight, {3, 2, 3, 3, 5, 5, 2, 2, 8, 8})) <
        testing::tolerance);
}

TEST_CASE("a transposed convolution may have another kernel and padding for rows than for columns") {
  ConvTranspose2d layer("net.0", 3, 2, {2, 4}, {.stride = 2, .padding = {0, 1}, .output_padding = {1, 0}}, 1);
  CHECK(layer.weight.shape() == Shape{3, 2, 2, 4});
  const Tensor x = Random(1, 1).normal({2, 3, 4, 5}, 0, 1);
  const Tensor y = layer(x).value();
  CHECK(y.shape() == Shape{2, 2, 9, 10});
  const auto weight = testing::numbers(layer.weight.value());
  CHECK(testing::difference(y, testing::doubled(testing::numbers(x), weight, {3, 2, 2, 4, 4, 5, 0, 1, 9, 10})) <
        testing::tolerance);
  CHECK_THROWS_WITH(ConvTranspose2d("net.0", 3, 2, {2, 0}, {}, 1),
                    "[net.0] a convolution's channels and kernel must be at least 1: 3 to 2, kernel 2x0");
}

TEST_CASE("batch norm starts as the identity, trains on the batch and evaluates on what it has seen") {
  BatchNorm2d layer("net.1", 2);
  const auto x = testing::numbers(Random(2, 0).normal({4, 2, 3, 3}, 1, 3));
  Tensor batch(Shape{4, 2, 3, 3});
  for (std::size_t i = 0; i < x.size(); ++i) batch.values()[i] = static_cast<engine::real>(x[i]);

  const testing::Numbers one{1, 1}, zero{0, 0};
  CHECK(testing::difference(layer(batch, false).value(), testing::normalised(x, {zero, one}, one, zero, 9)) <
        testing::tolerance);
  CHECK(layer.running_mean.data()[0] == 0);
  CHECK(layer.running_var.data()[0] == 1);

  // The running statistics move in training, without a tape too.
  auto seen = testing::statistics(x, 2, 9);
  CHECK(testing::difference(layer(batch, true).value(), testing::normalised(x, seen, one, zero, 9)) <
        testing::tolerance);
  for (std::size_t c = 0; c < 2; ++c) {
    seen.mean[c] *= 0.1L;
    seen.variance[c] = 0.9L + 0.1L * seen.variance[c] * 36 / 35;
  }
  CHECK(testing::difference(layer.running_mean, seen.mean) < testing::tolerance);
  CHECK(testing::difference(layer.running_var, seen.variance) < testing::tolerance);
  CHECK(testing::difference(layer(batch, false).value(), testing::normalised(x, seen, one, zero, 9)) <
        testing::tolerance);
}

TEST_CASE("layers name their parameters as PyTorch does") {
  Linear linear("psi.4", 3, 2, 1);
  ConvTranspose2d convolution("generator.3", 3, 2, 5, {}, 1);
  Conv2d forward("classifier.3", 3, 2, 5, {}, 1);
  BatchNorm2d norm("generator.4", 2);
  CHECK(linear.parameters()[0].name == "psi.4.weight");
  CHECK(linear.parameters()[1].name == "psi.4.bias");
  CHECK(linear.parameters()[1].variable == &linear.bias);
  CHECK(convolution.parameters().size() == 1);
  CHECK(convolution.parameters()[0].name == "generator.3.weight");
  CHECK(convolution.weight.shape() == Shape{3, 2, 5, 5});
  CHECK(forward.parameters().size() == 1);
  CHECK(forward.parameters()[0].name == "classifier.3.weight");
  CHECK(forward.weight.shape() == Shape{2, 3, 5, 5});
  CHECK(norm.parameters()[0].name == "generator.4.weight");
  CHECK(norm.parameters()[1].name == "generator.4.bias");
  CHECK(norm.buffers()[0].name == "generator.4.running_mean");
  CHECK(norm.buffers()[1].name == "generator.4.running_var");
  CHECK(norm.buffers()[1].tensor == &norm.running_var);
}

TEST_CASE("initial weights are uniform within PyTorch's bounds") {
  const Linear linear("a", 100, 2000, 3);
  check_within(linear.weight.value(), 1 / std::sqrt(100.0));
  check_within(linear.bias.value(), 1 / std::sqrt(100.0));
  const ConvTranspose2d convolution("b", 50, 20, 3, {}, 3);
  check_within(convolution.weight.value(), 1 / std::sqrt(20 * 9.0));  // weight.size(1) kh kw
  check_within(Conv2d("c", 50, 20, 3, {}, 3).weight.value(), 1 / std::sqrt(50 * 9.0));
}

TEST_CASE("an initial parameter is a function of seed, name and shape") {
  const auto draw = [](std::uint64_t seed, const char* name) {
    return initial_parameter({5}, 4, seed, name).values()[4];
  };
  CHECK(draw(1, "a.weight") == draw(1, "a.weight"));
  CHECK(draw(1, "a.weight") != draw(2, "a.weight"));
  CHECK(draw(1, "a.weight") != draw(1, "b.weight"));
  // FNV-1a of "a" is 0xaf63dc4c8601ec8c.
  CHECK(draw(7, "a") == Random(7, 0xaf63dc4c8601ec8c).uniform({5}, -0.5, 0.5).values()[4]);
}

TEST_CASE("layers without an element are refused by name") {
  CHECK_THROWS_WITH(Linear("psi.2", 0, 4, 1), "[psi.2] a linear layer's sizes must be at least 1: 0 to 4");
  CHECK_THROWS_WITH(ConvTranspose2d("g.3", 4, -1, 3, {}, 1),
                    "[g.3] a convolution's channels and kernel must be at least 1: 4 to -1, kernel 3");
  CHECK_THROWS_WITH(Conv2d("c.0", 0, 1, 3, {}, 1),
                    "[c.0] a convolution's channels and kernel must be at least 1: 0 to 1, kernel 3");
  CHECK_THROWS_WITH(BatchNorm2d("g.1", 0), "[g.1] a batch norm needs at least one channel: 0");
  CHECK_THROWS_WITH(linear_layers("psi", {784}, 1),
                    "[psi] a network of linear layers needs an input and an output size: 1 sizes given");
}
