#include "apps/texture/texture_strips.h"

#include <algorithm>
#include <cmath>

#include "engine/blas.h"
#include "engine/ops/shape.h"
#include "engine/parallel.h"

namespace apps {

using engine::real;
using engine::Tensor;
using engine::Transpose;

namespace {

constexpr std::int64_t taps = 9, side = 3;
constexpr std::int64_t strip = 16;  // rows at a time: more would not stay in the cache, fewer are made twice more often
constexpr engine::Activation leaky{engine::Activation::Kind::leaky_relu, 0.2};

/// Some rows of an image with a column more on either side.
struct Strip {
  Strip(std::int64_t channels, std::int64_t rows, std::int64_t columns)
      : size(columns + 2), plane(rows * size), values({channels, rows, columns + 2}) {}

  /// The first channel's first pixel of a row.
  real* row(std::int64_t number) { return values.data() + number * size + 1; }
  /// Puts each other end of a row beside it, in all channels.
  void wrap(std::int64_t number) {
    for (std::int64_t channel = 0; channel < values.dim(0); ++channel) {
      real* at = row(number) + channel * plane;
      at[-1] = at[size - 3], at[size - 2] = at[0];
    }
  }

  std::int64_t size, plane;
  Tensor values;
};

}  // namespace

WrappedConvolution::WrappedConvolution(const models::Conv2d& convolution, const models::BatchNorm2d& norm)
    : channels_(convolution.weight.dim(1)) {
  const std::int64_t count = convolution.weight.dim(0), of_a_tap = count * channels_;
  by_taps_ = transpose(engine::Var(convolution.weight.value().reshaped({of_a_tap, taps}))).value().clone();
  for (std::int64_t f = 0; f < count; ++f) {
    const double factor = norm.weight.value().data()[f] / std::sqrt(double(norm.running_var.data()[f]) + 1e-5);
    start_.push_back(static_cast<real>(norm.bias.value().data()[f] - factor * norm.running_mean.data()[f]));
    for (std::int64_t tap = 0; tap < taps; ++tap)
      for (std::int64_t c = 0; c < channels_; ++c)
        by_taps_.data()[tap * of_a_tap + f * channels_ + c] *= static_cast<real>(factor);
  }
}

void WrappedConvolution::row(const real* from, std::int64_t plane, std::int64_t columns, real* to,
                             std::int64_t to_plane) const {
  const std::int64_t count = filters();
  for (std::int64_t f = 0; f < count; ++f) std::fill_n(to + f * to_plane, columns, start_[static_cast<std::size_t>(f)]);
  for (std::int64_t tap = 0; tap < taps; ++tap)
    engine::gemm_single(Transpose::no, Transpose::no, count, columns, channels_, 1,
                        by_taps_.data() + tap * count * channels_, channels_,
                        from + tap / side * (columns + 2) + tap % side, plane, 1, to, to_plane);
  for (std::int64_t f = 0; f < count; ++f) leaky.apply(columns, to + f * to_plane);
}

Tensor refined(const Tensor& x, const engine::Random& noise, std::int64_t noise_channels, std::int64_t rows,
               std::int64_t columns, const WrappedConvolution& first, const WrappedConvolution& second) {
  const std::int64_t channels = x.defined() ? x.dim(0) : 0;
  Tensor result({second.filters(), rows, columns});
  engine::parallel_for((rows + strip - 1) / strip, 1, [&](std::int64_t number, std::int64_t) {
    const std::int64_t begin = number * strip, count = std::min(strip, rows - begin);
    Strip in(channels + noise_channels, count + 4, columns), between(first.filters(), count + 2, columns);
    for (std::int64_t r = 0; r < count + 4; ++r) {
      const std::int64_t y = (begin + r - 2 + 2 * rows) % rows;
      for (std::int64_t c = 0; c < channels; ++c) {
        const real* from = x.data() + (c * (rows / 2) + y / 2) * (columns / 2);
        real* to = in.row(r) + c * in.plane;
        for (std::int64_t column = 0; column < columns; ++column) to[column] = from[column / 2];
      }
      for (std::int64_t c = 0; c < noise_channels; ++c) {
        const auto draw = static_cast<std::uint64_t>((c * rows + y) * columns);
        real* to = in.row(r) + (channels + c) * in.plane;
        for (std::int64_t column = 0; column < columns; ++column)
          to[column] = static_cast<real>(2 * noise.uniform(draw + static_cast<std::uint64_t>(column)) - 1);
      }
      in.wrap(r);
    }
    for (std::int64_t r = 0; r < count + 2; ++r) {
      first.row(in.row(r) - 1, in.plane, columns, between.row(r), between.plane);
      between.wrap(r);
    }
    for (std::int64_t r = 0; r < count; ++r)
      second.row(between.row(r) - 1, between.plane, columns, result.data() + (begin + r) * columns, rows * columns);
  });
  return result;
}

Tensor mixed(const Tensor& x, const Tensor& weight, const engine::Activation& activation, std::int64_t height,
             std::int64_t width) {
  const std::int64_t filters = weight.dim(0), channels = x.dim(0), columns = x.dim(2);
  Tensor image({1, filters, height, width});
  engine::parallel_for(height, 1, [&](std::int64_t y, std::int64_t) {
    real* to = image.data() + y * width;
    engine::gemm_single(Transpose::no, Transpose::no, filters, width, channels, 1, weight.data(), channels,
                        x.data() + y * columns, x.dim(1) * columns, 0, to, height * width);
    for (std::int64_t f = 0; f < filters; ++f) activation.apply(width, to + f * height * width);
  });
  return image;
}

}  // namespace apps
