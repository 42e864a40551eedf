#include "apps/texture/pyramid.h"

#include <array>
#include <cmath>

#include "engine/ops/convolution.h"
#include "engine/ops/shape.h"

namespace apps {

using engine::real;
using engine::Tensor;
using engine::Var;

namespace {

constexpr std::int64_t kernel = 4, stride = 2;

/// [1, 1, 4, 4], with sum 1.
Tensor gaussian() {
  std::array<double, kernel> line;
  double sum = 0;
  for (std::size_t i = 0; i < kernel; ++i) {
    const double x = static_cast<double>(i) - (kernel - 1) / 2.0;
    sum += line[i] = std::exp(-x * x / 2);
  }
  Tensor weight({1, 1, kernel, kernel});
  for (std::size_t i = 0; i < kernel * kernel; ++i)
    weight.data()[i] = static_cast<real>(line[i / kernel] * line[i % kernel] / (sum * sum));
  return weight;
}

Var wrapped_along(const Var& x, int axis, std::int64_t before, std::int64_t after) {
  const std::int64_t size = x.dim(axis);
  return engine::concat({slice(x, axis, size - before, size), x, slice(x, axis, 0, after)}, axis);
}

}  // namespace

std::int64_t coarser_size(std::int64_t size) {
  return size < kernel ? 0 : (size - kernel) / stride + 1;
}

Var coarser(const Var& images) {
  static const Tensor weight = gaussian();
  const std::int64_t batch = images.dim(0), channels = images.dim(1), height = images.dim(2), width = images.dim(3);
  const Var planes = reshape(images, {batch * channels, 1, height, width});
  const Var smaller = conv2d(planes, weight, {.stride = stride});
  return reshape(smaller, {batch, channels, smaller.dim(2), smaller.dim(3)});
}

Var wrapped(const Var& images, std::int64_t before, std::int64_t after) {
  return wrapped_along(wrapped_along(images, 2, before, after), 3, before, after);
}

Tensor finer(const Tensor& images) {
  const std::int64_t planes = images.dim(0) * images.dim(1), rows = images.dim(2), columns = images.dim(3);
  Tensor result({images.dim(0), images.dim(1), 2 * rows, 2 * columns});
  // Pixel p lies a quarter of the way from pixel p / 2 of the coarser scale to the next on its side.
  const auto other = [](std::int64_t p, std::int64_t size) { return (p / 2 + (p % 2 == 0 ? size - 1 : 1)) % size; };
  const auto mix = [](real near, real far) { return real(0.75) * near + real(0.25) * far; };
  real* to = result.data();
  for (std::int64_t plane = 0; plane < planes; ++plane)
    for (std::int64_t y = 0; y < 2 * rows; ++y) {
      const real *near = images.data() + (plane * rows + y / 2) * columns,
                 *far = images.data() + (plane * rows + other(y, rows)) * columns;
      for (std::int64_t x = 0; x < 2 * columns; ++x) {
        const std::int64_t side = other(x, columns);
        *to++ = mix(mix(near[x / 2], near[side]), mix(far[x / 2], far[side]));
      }
    }
  return result;
}

}  // namespace apps
