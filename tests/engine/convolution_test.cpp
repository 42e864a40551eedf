#include "engine/ops/convolution.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "engine/ops/shape.h"
#include "engine/parallel.h"
#include "gradient_check.h"

using namespace engine;

namespace {

constexpr double tolerance = testing::precise ? 1e-12 : 2e-5;

struct Case {
  std::int64_t batch, channels, height, width, filters, kernel_height, kernel_width;
  Stride stride;

  std::int64_t places(std::int64_t size, std::int64_t kernel, std::int64_t padding) const {
    return (size + 2 * padding - kernel) / stride.stride + 1;
  }
  Shape image() const { return {batch, channels, height, width}; }
  Shape weight() const { return {filters, channels, kernel_height, kernel_width}; }
  Shape map() const {
    return {batch, filters, places(height, kernel_height, stride.padding.rows),
            places(width, kernel_width, stride.padding.columns)};
  }
};

// Odd sizes, kernels larger than the stride and smaller, images that the stride does not divide, more padding than
// kernel, numbers of channels around a block of the product's rows, batches of which many, few and one place are
// multiplied at once.
const Case cases[] = {
    {1, 1, 1, 1, 1, 1, 1, {}},
    {2, 3, 1, 1, 5, 3, 3, {.stride = 2, .padding = 1}},
    {3, 2, 7, 7, 4, 3, 3, {.stride = 2}},
    {2, 3, 8, 9, 2, 3, 3, {.stride = 2}},
    {2, 1, 8, 7, 3, 3, 2, {.stride = 3, .padding = 2}},
    {1, 2, 5, 3, 1, 2, 5, {.stride = 1, .padding = 3}},
    {17, 3, 4, 4, 7, 1, 1, {.stride = 3}},
    {33, 2, 6, 5, 3, 4, 3, {.stride = 2, .padding = 1}},
    {2, 2, 3, 3, 2, 2, 2, {.stride = 1, .padding = 4}},
    {35, 1, 15, 15, 4, 3, 3, {.stride = 2, .padding = 2}},
    {140, 2, 3, 3, 2, 3, 3, {}},
    {16, 8, 5, 4, 9, 3, 3, {.stride = 2, .padding = 1}},
    {48, 17, 4, 5, 1, 3, 2, {.stride = 3}},
    {63, 1, 5, 5, 12, 3, 3, {.stride = 2}},
    {64, 3, 7, 4, 7, 2, 3, {.stride = 3, .padding = 1}},
    {111, 4, 3, 5, 3, 3, 3, {.stride = 1, .padding = 1}},
    // Channels that make several blocks, the last of them shorter, of kernels of few taps and of many.
    {16, 48, 7, 8, 50, 3, 3, {.stride = 2}},
    {56, 50, 5, 6, 48, 3, 4, {.stride = 1, .padding = 1}},
    {17, 48, 4, 9, 65, 4, 2, {.stride = 2, .padding = 1}},
    {3, 49, 1, 8, 48, 1, 5, {.stride = 2, .padding = 2}},
    {16, 48, 8, 3, 48, 3, 1, {}},
    {20, 48, 7, 5, 48, 2, 3, {.stride = 3, .padding = 1}},
    // A few images at stride 1: columns that no tap reaches, and maps wider than the images.
    {1, 3, 9, 11, 4, 3, 3, {}},
    {3, 2, 5, 6, 5, 3, 3, {.stride = 1, .padding = 1}},
    {1, 2, 3, 2, 2, 2, 3, {.stride = 1, .padding = {1, 4}}},
    // Another padding for rows than for columns.
    {3, 2, 6, 7, 4, 3, 3, {.stride = 2, .padding = {2, 0}}},
    {17, 3, 5, 8, 2, 2, 3, {.stride = 3, .padding = {0, 1}}},
    {19, 48, 7, 6, 50, 3, 3, {.stride = 2, .padding = {0, 2}}},
    // Batches at which two places and one fill a product, and more places than one product takes in a row.
    {128, 2, 6, 9, 3, 3, 3, {.stride = 2, .padding = 1}},
    {200, 3, 7, 7, 2, 3, 3, {.stride = 2}},
    {257, 1, 4, 6, 2, 2, 2, {.stride = 3}},
    {1, 2, 3, 300, 2, 3, 3, {.stride = 1, .padding = 1}},
    {1, 1, 2, 600, 2, 2, 3, {.stride = 2}},
};

const Activation activations[] = {
    {}, Activation::relu(), Activation::leaky_relu(0.2), Activation::sigmoid(), Activation::tanh()};

Tensor random(const Shape& shape, std::uint64_t stream) {
  return Random(41, stream).normal(shape, 0, 1);
}

// The trilinear form behind all three ops: visit(image, weight, map) with the indices of every product in
// <map, conv2d(image, weight)>.
template <class Visit>
void seven_loops(const Case& c, const Visit& visit) {
  const Shape map = c.map();
  for (std::int64_t b = 0; b < c.batch; ++b)
    for (std::int64_t f = 0; f < c.filters; ++f)
      for (std::int64_t i = 0; i < map[2]; ++i)
        for (std::int64_t j = 0; j < map[3]; ++j)
          for (std::int64_t ch = 0; ch < c.channels; ++ch)
            for (std::int64_t ky = 0; ky < c.kernel_height; ++ky)
              for (std::int64_t kx = 0; kx < c.kernel_width; ++kx) {
                const std::int64_t y = i * c.stride.stride - c.stride.padding.rows + ky;
                const std::int64_t x = j * c.stride.stride - c.stride.padding.columns + kx;
                if (y < 0 || y >= c.height || x < 0 || x >= c.width) continue;
                visit(((b * c.channels + ch) * c.height + y) * c.width + x,
                      ((f * c.channels + ch) * c.kernel_height + ky) * c.kernel_width + kx,
                      ((b * c.filters + f) * map[2] + i) * map[3] + j);
              }
}

// The largest difference, relative to the largest expected value.
double error(const Tensor& result, const std::vector<long double>& expected) {
  REQUIRE(result.size() == static_cast<std::int64_t>(expected.size()));
  long double worst = 0, scale = 1e-30L;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    worst = std::max(worst, std::abs(expected[i] - static_cast<long double>(result.values()[i])));
    scale = std::max(scale, std::abs(expected[i]));
  }
  return static_cast<double>(worst / scale);
}

std::vector<long double> zeros(const Shape& shape) {
  return std::vector<long double>(static_cast<std::size_t>(shape.size()));
}

long double element(const Tensor& x, std::int64_t i) {
  return x.data()[i];
}

}  // namespace

TEST_CASE("conv2d equals the direct sum over taps") {
  for (const Case& c : cases) {
    CAPTURE(c.image());
    const Tensor x = random(c.image(), 0), weight = random(c.weight(), 1);
    auto expected = zeros(c.map());
    seven_loops(c, [&](auto i, auto w, auto m) { expected[m] += element(x, i) * element(weight, w); });
    const Tensor y = conv2d(x, weight, c.stride).value();
    CHECK(y.shape() == c.map());
    CHECK(error(y, expected) < tolerance);
  }
}

TEST_CASE("conv2d with a bias and an activation equals the three one after the other") {
  for (const Case& c : cases) {
    CAPTURE(c.image());
    const Var x = random(c.image(), 21), weight = random(c.weight(), 22), bias = random({c.filters}, 23);
    const Var sums = conv2d(x, weight, c.stride) + reshape(bias, {c.filters, 1, 1});
    for (const Activation& activation : activations) {
      const Tensor y = conv2d(x, weight, bias, activation, c.stride).value(), expected = activation(sums).value();
      CHECK(y.shape() == c.map());
      CHECK(error(y, {expected.values().begin(), expected.values().end()}) < tolerance);
      const Tensor last =
          batch_first(conv2d(batch_last(x), weight, bias, activation, c.stride, Layout::batch_last)).value();
      CHECK(std::equal(last.values().begin(), last.values().end(), y.values().begin()));
    }
  }
}

TEST_CASE("conv2d_weight equals the direct sum over images and places") {
  for (const Case& c : cases) {
    CAPTURE(c.image());
    const Tensor x = random(c.image(), 2), map = random(c.map(), 3);
    auto expected = zeros(c.weight());
    seven_loops(c, [&](auto i, auto w, auto m) { expected[w] += element(x, i) * element(map, m); });
    const Tensor weight = conv2d_weight(x, map, c.kernel_height, c.kernel_width, c.stride).value();
    CHECK(weight.shape() == c.weight());
    CHECK(error(weight, expected) < tolerance);
  }
}

TEST_CASE("conv_transpose2d equals the direct sum for every output padding") {
  for (Case c : cases) {
    const Shape x_shape = c.map();
    const std::int64_t s = c.stride.stride;
    for (std::int64_t both = 0; both < s * s; ++both) {
      const PerAxis output_padding(both / s, both % s);
      c.stride.output_padding = output_padding;
      const auto size = [&](std::int64_t places, std::int64_t kernel, std::int64_t padding, std::int64_t added) {
        return (places - 1) * s - 2 * padding + kernel + added;
      };
      c.height = size(x_shape[2], c.kernel_height, c.stride.padding.rows, output_padding.rows);
      c.width = size(x_shape[3], c.kernel_width, c.stride.padding.columns, output_padding.columns);
      if (c.height < 1 || c.width < 1) continue;
      CAPTURE(c.image());
      const Tensor x = random(x_shape, 4), weight = random(c.weight(), 5);
      auto expected = zeros(c.image());
      seven_loops(c, [&](auto i, auto w, auto m) { expected[i] += element(x, m) * element(weight, w); });
      const Tensor y = conv_transpose2d(x, weight, c.stride).value();
      CHECK(y.shape() == c.image());
      CHECK(error(y, expected) < tolerance);
    }
  }
}

TEST_CASE("with the batch last, convolutions give the same bits in that layout") {
  const auto same = [](const Var& last, const Var& first) {
    const Tensor expected = batch_last(first).value(), result = last.value();
    CHECK(result.shape() == expected.shape());
    CHECK(std::equal(result.values().begin(), result.values().end(), expected.values().begin()));
  };
  for (const Case& c : cases) {
    CAPTURE(c.image());
    const Tensor x = random(c.image(), 18), weight = random(c.weight(), 19), map = random(c.map(), 20);
    const Var last_x = batch_last(x), last_map = batch_last(map);
    same(conv2d(last_x, weight, c.stride, Layout::batch_last), conv2d(x, weight, c.stride));
    same(conv_transpose2d(last_map, weight, c.stride, Layout::batch_last), conv_transpose2d(map, weight, c.stride));
    const Tensor first = conv2d_weight(x, map, c.kernel_height, c.kernel_width, c.stride).value();
    const Tensor last =
        conv2d_weight(last_x, last_map, c.kernel_height, c.kernel_width, c.stride, Layout::batch_last).value();
    CHECK(std::equal(last.values().begin(), last.values().end(), first.values().begin()));
  }
}

TEST_CASE("the DCGAN's four layers make 3, 7, 15 and 28 rows") {
  const Tensor weight = Tensor::zeros({1, 1, 3, 3});
  std::int64_t rows = 1;
  for (std::int64_t expected : {3, 7, 15}) {
    rows = conv_transpose2d(Tensor::zeros({1, 1, rows, rows}), weight, {.stride = 2}).dim(2);
    CHECK(rows == expected);
  }
  const Var last =
      conv_transpose2d(Tensor::zeros({1, 1, 15, 15}), weight, {.stride = 2, .padding = 2, .output_padding = 1});
  CHECK(last.shape() == Shape{1, 1, 28, 28});
}

TEST_CASE("the three ops are adjoint to one another") {
  const auto inner = [](const Tensor& a, const Tensor& b) {
    long double total = 0;
    for (std::int64_t i = 0; i < a.size(); ++i) total += element(a, i) * element(b, i);
    return static_cast<double>(total);
  };
  const Case c{5, 3, 8, 8, 4, 3, 3, {.stride = 2, .padding = 1, .output_padding = 1}};
  const Tensor x = random(c.image(), 6), weight = random(c.weight(), 7), map = random(c.map(), 8);
  const double form = inner(map, conv2d(x, weight, c.stride).value());
  CHECK(inner(x, conv_transpose2d(map, weight, c.stride).value()) == doctest::Approx(form).epsilon(tolerance));
  CHECK(inner(weight, conv2d_weight(x, map, 3, 3, c.stride).value()) == doctest::Approx(form).epsilon(tolerance));
}

TEST_CASE("convolutions have right first and second gradients" * doctest::skip(!testing::precise)) {
  const Case gradient_cases[] = {
      {2, 2, 7, 7, 3, 3, 3, {.stride = 2}},
      {2, 2, 8, 7, 3, 3, 2, {.stride = 3, .padding = 2}},
      {1, 3, 4, 6, 2, 2, 3, {.stride = 2, .padding = 1, .output_padding = 1}},
      {3, 1, 3, 3, 2, 3, 3, {}},
      {17, 2, 4, 3, 2, 3, 2, {.stride = 2, .padding = 1}},
      {2, 2, 5, 8, 2, 3, 3, {.stride = 2, .padding = {0, 2}, .output_padding = {1, 0}}},
      {2, 2, 4, 5, 3, 2, 3, {.stride = 2, .padding = {1, 0}, .output_padding = {0, 1}}},
  };
  for (const Case& c : gradient_cases) {
    CAPTURE(c.image());
    const auto squared = [](const Var& y) { return y * y; };
    testing::check_gradients([&](const std::vector<Var>& in) { return squared(conv2d(in[0], in[1], c.stride)); },
                             {random(c.image(), 9), random(c.weight(), 10)});
    testing::check_gradients(
        [&](const std::vector<Var>& in) { return squared(conv_transpose2d(in[0], in[1], c.stride)); },
        {random(c.map(), 11), random(c.weight(), 12)});
    testing::check_gradients(
        [&](const std::vector<Var>& in) {
          return squared(conv2d_weight(in[0], in[1], c.kernel_height, c.kernel_width, c.stride));
        },
        {random(c.image(), 13), random(c.map(), 14)});
  }
}

TEST_CASE("conv2d with a bias has right first and second gradients with every activation" *
          doctest::skip(!testing::precise)) {
  const Case c{3, 2, 5, 4, 3, 3, 2, {.stride = 2, .padding = 1}};
  for (const Activation& activation : activations)
    testing::check_gradients(
        [&](const std::vector<Var>& in) {
          const Var y = conv2d(in[0], in[1], in[2], activation, c.stride);
          return y * y;
        },
        {random(c.image(), 24), random(c.weight(), 25), random({c.filters}, 26)});
}

TEST_CASE("an empty batch gives an empty map and a zero weight gradient") {
  const Tensor x = Tensor::zeros({0, 2, 5, 5}), map = Tensor::zeros({0, 3, 3, 3});
  CHECK(conv2d(x, Tensor::zeros({3, 2, 3, 3}), {}).shape() == Shape{0, 3, 3, 3});
  CHECK(conv_transpose2d(map, Tensor::zeros({3, 2, 3, 3}), {}).shape() == Shape{0, 2, 5, 5});
  const Tensor weight = conv2d_weight(x, map, 3, 3, {}).value();
  CHECK(weight.shape() == Shape{3, 2, 3, 3});
  for (const real value : weight.values()) CHECK(value == 0);
}

TEST_CASE("convolutions give the same bits on any number of threads") {
  const int before = threads();
  const Case c{70, 5, 7, 7, 9, 3, 3, {.stride = 2}};
  const Tensor x = random(c.image(), 15), weight = random(c.weight(), 16), map = random(c.map(), 17);
  std::vector<Tensor> first;
  for (int count : {1, 2, 3, 7}) {
    set_threads(count);
    const std::vector<Tensor> results{conv2d(x, weight, c.stride).value(),
                                      conv_transpose2d(map, weight, c.stride).value(),
                                      conv2d_weight(x, map, 3, 3, c.stride).value()};
    if (first.empty()) first = results;
    for (std::size_t i = 0; i < results.size(); ++i)
      CHECK(std::equal(results[i].values().begin(), results[i].values().end(), first[i].values().begin()));
  }
  set_threads(before);
}

TEST_CASE("convolutions that do not fit are refused with what was given") {
  const Tensor x = Tensor::zeros({2, 3, 5, 5}), weight = Tensor::zeros({4, 3, 3, 3}), flat = Tensor::zeros({2, 75});
  CHECK_THROWS_WITH(conv2d(flat, weight, {}), "[conv2d] x must have four axes, none empty but the first: [2, 75]");
  CHECK_THROWS_WITH(conv2d(x, flat, {}), "[conv2d] the weight must have four axes, none empty but the first: [2, 75]");
  CHECK_THROWS_WITH(conv2d(Tensor::zeros({2, 3, 0, 5}), weight, {}),
                    "[conv2d] x must have four axes, none empty but the first: [2, 3, 0, 5]");
  CHECK_THROWS_WITH(conv2d(Tensor::zeros({0, 5, 5, 3}), weight, {}, Layout::batch_last),
                    "[conv2d] x must have four axes, none empty but the last: [0, 5, 5, 3]");
  CHECK_THROWS_WITH(conv_transpose2d(Tensor::zeros({3, 5, 5, 2}), weight, {}, Layout::batch_last),
                    "[conv_transpose2d] channels must agree: x [3, 5, 5, 2] against weight [4, 3, 3, 3]");
  CHECK_THROWS_WITH(conv2d(x, Tensor::zeros({4, 2, 3, 3}), {}),
                    "[conv2d] channels must agree: x [2, 3, 5, 5] against weight [4, 2, 3, 3]");
  CHECK_THROWS_WITH(conv2d(x, weight, Tensor::zeros({3}), Activation::relu(), {}),
                    "[conv2d] bias [Cout] must match weight [Cout, Cin, kh, kw]: [3] against [4, 3, 3, 3]");
  CHECK_THROWS_WITH(conv2d(x, weight, Tensor::zeros({4}), Activation::leaky_relu(-1), {}),
                    "[conv2d] the slope must be finite and not negative: -1");
  CHECK_THROWS_WITH(conv2d(x, weight, {.stride = 0}), "[conv2d] the stride must be at least 1: 0");
  CHECK_THROWS_WITH(conv2d(x, weight, {.padding = -1}), "[conv2d] the padding must not be negative: -1");
  CHECK_THROWS_WITH(conv2d(x, Tensor::zeros({4, 3, 8, 3}), {.padding = 1}),
                    "[conv2d] the kernel must fit the padded image: 8x3 on [2, 3, 5, 5] with padding 1");
  CHECK_THROWS_WITH(conv_transpose2d(x, weight, {}),
                    "[conv_transpose2d] channels must agree: x [2, 3, 5, 5] against weight [4, 3, 3, 3]");
  CHECK_THROWS_WITH(conv_transpose2d(Tensor::zeros({1, 4, 5, 5}), weight, {.stride = 2, .output_padding = 2}),
                    "[conv_transpose2d] the output padding must be 0 to stride - 1: 2 with stride 2");
  CHECK_THROWS_WITH(conv_transpose2d(Tensor::zeros({1, 4, 5, 5}), weight, {.stride = 2, .output_padding = {0, 2}}),
                    "[conv_transpose2d] the output padding must be 0 to stride - 1: 0x2 with stride 2");
  CHECK_THROWS_WITH(conv2d(x, weight, {.padding = {1, -1}}), "[conv2d] the padding must not be negative: 1x-1");
  CHECK_THROWS_WITH(conv_transpose2d(Tensor::zeros({1, 4, 1, 1}), weight, {.padding = 2}),
                    "[conv_transpose2d] the padding leaves no output: x [1, 4, 1, 1], weight [4, 3, 3, 3], padding 2");
  CHECK_THROWS_WITH(conv2d_weight(x, Tensor::zeros({2, 4, 2, 3}), 3, 3, {}),
                    "[conv2d_weight] the output gradient must have the shape of conv2d's output, [2, 4, 3, 3]: "
                    "[2, 4, 2, 3]");
}
