#include "apps/texture/framed_image.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/blas.h"
#include "engine/ops/shape.h"
#include "engine/parallel.h"

namespace apps {

using engine::real;
using engine::Tensor;
using engine::Transpose;

namespace {

constexpr std::int64_t taps = 9, side = 3;

}  // namespace

FramedImage::FramedImage(std::int64_t channels, std::int64_t rows, std::int64_t columns)
    : channels_(channels), rows_(rows), columns_(columns), values_({channels, rows + 2, columns + 2}) {}

void FramedImage::fill_frame() {
  engine::parallel_for(channels_, 1, [&](std::int64_t channel, std::int64_t) {
    const std::int64_t plane = channel * plane_size();
    for (std::int64_t y = 0; y < rows_; ++y) {
      real* at = row(y) + plane;
      at[-1] = at[columns_ - 1], at[columns_] = at[0];
    }
    std::copy_n(row(rows_ - 1) + plane - 1, row_size(), row(-1) + plane - 1);
    std::copy_n(row(0) + plane - 1, row_size(), row(rows_) + plane - 1);
  });
}

FramedImage FramedImage::doubled_with_noise(const FramedImage& x, const engine::Random& noise,
                                            std::int64_t noise_channels, std::int64_t rows, std::int64_t columns) {
  FramedImage result(x.channels_ + noise_channels, rows, columns);
  engine::parallel_for(rows, 1, [&](std::int64_t y, std::int64_t) {
    for (std::int64_t channel = 0; channel < x.channels_; ++channel) {
      const real* from = x.row(y / 2) + channel * x.plane_size();
      real* to = result.row(y) + channel * result.plane_size();
      for (std::int64_t column = 0; column < columns; ++column) to[column] = from[column / 2];
    }
    for (std::int64_t channel = 0; channel < noise_channels; ++channel) {
      real* to = result.row(y) + (x.channels_ + channel) * result.plane_size();
      const std::int64_t first = (channel * rows + y) * columns;
      for (std::int64_t column = 0; column < columns; ++column)
        to[column] = static_cast<real>(2 * noise.uniform(static_cast<std::uint64_t>(first + column)) - 1);
    }
  });
  result.fill_frame();
  return result;
}

FramedImage FramedImage::convolved(const Tensor& weight, const models::BatchNorm2d& norm,
                                   const engine::Activation& activation) const {
  const std::int64_t filters = weight.dim(0), of_a_tap = filters * channels_;
  // By taps, [9, filters, channels], with the batch norm's factor; what it adds then goes before the products.
  Tensor by_taps = transpose(engine::Var(weight.reshaped({of_a_tap, taps}))).value().clone();
  std::vector<real> start(static_cast<std::size_t>(filters));
  for (std::int64_t f = 0; f < filters; ++f) {
    const double factor = norm.weight.value().data()[f] / std::sqrt(norm.running_var.data()[f] + 1e-5);
    start[static_cast<std::size_t>(f)] =
        static_cast<real>(norm.bias.value().data()[f] - factor * norm.running_mean.data()[f]);
    for (std::int64_t tap = 0; tap < taps; ++tap)
      for (std::int64_t c = 0; c < channels_; ++c)
        by_taps.data()[tap * of_a_tap + f * channels_ + c] *= static_cast<real>(factor);
  }
  FramedImage result(filters, rows_, columns_);
  engine::parallel_for(rows_, 1, [&](std::int64_t y, std::int64_t) {
    real* to = result.row(y);
    for (std::int64_t f = 0; f < filters; ++f)
      std::fill_n(to + f * result.plane_size(), columns_, start[static_cast<std::size_t>(f)]);
    for (std::int64_t tap = 0; tap < taps; ++tap)
      engine::gemm_single(Transpose::no, Transpose::no, filters, columns_, channels_, 1,
                          by_taps.data() + tap * of_a_tap, channels_, row(y + tap / side - 1) + tap % side - 1,
                          plane_size(), 1, to, result.plane_size());
    for (std::int64_t f = 0; f < filters; ++f) activation.apply(columns_, to + f * result.plane_size());
  });
  result.fill_frame();
  return result;
}

Tensor FramedImage::mixed(const Tensor& weight, const engine::Activation& activation, std::int64_t height,
                          std::int64_t width) const {
  const std::int64_t filters = weight.dim(0);
  Tensor image({1, filters, height, width});
  engine::parallel_for(height, 1, [&](std::int64_t y, std::int64_t) {
    real* to = image.data() + y * width;
    engine::gemm_single(Transpose::no, Transpose::no, filters, width, channels_, 1, weight.data(), channels_, row(y),
                        plane_size(), 0, to, height * width);
    for (std::int64_t f = 0; f < filters; ++f) activation.apply(width, to + f * height * width);
  });
  return image;
}

}  // namespace apps
