#include "apps/texture/pyramid.h"

#include <algorithm>
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

/// Where a pixel of the finer scale lies between two of the coarser.
struct Between {
  Between(std::int64_t fine, std::int64_t coarse_size) {
    const double at = (static_cast<double>(fine) - (kernel - 1) / 2.0) / stride,
                 inside = std::clamp(at, 0.0, static_cast<double>(coarse_size - 1));
    first = static_cast<std::int64_t>(inside);
    second = std::min(first + 1, coarse_size - 1);
    share = static_cast<real>(inside - static_cast<double>(first));
  }
  std::int64_t first, second;
  real share;  // of the second
};

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

Tensor finer(const Tensor& images, std::int64_t height, std::int64_t width) {
  const std::int64_t planes = images.dim(0) * images.dim(1), rows = images.dim(2), columns = images.dim(3);
  Tensor result({images.dim(0), images.dim(1), height, width});
  real* to = result.data();
  for (std::int64_t plane = 0; plane < planes; ++plane)
    for (std::int64_t y = 0; y < height; ++y) {
      const Between row(y, rows);
      const real *above = images.data() + (plane * rows + row.first) * columns,
                 *below = images.data() + (plane * rows + row.second) * columns;
      for (std::int64_t x = 0; x < width; ++x) {
        const Between column(x, columns);
        const auto along = [&](const real* line) {
          return line[column.first] + column.share * (line[column.second] - line[column.first]);
        };
        *to++ = along(above) + row.share * (along(below) - along(above));
      }
    }
  return result;
}

}  // namespace apps
