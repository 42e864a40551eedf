#pragma once

#include <cstdint>

#include "engine/ops/activation.h"
#include "engine/random.h"
#include "engine/tensor.h"
#include "models/layers.h"

namespace apps {

/// An image [channels, rows, columns] in a frame of one pixel, in which its own other edges stand, so that a kernel of
/// 3x3 sees it wrapped. What a TextureNetwork makes of it row by row, while it is in the cache, on all threads.
class FramedImage {
 public:
  FramedImage() = default;

  /// Each pixel of x four times, and more channels of noise, uniform on [-1, 1), element i draw number i. x may be
  /// empty, otherwise it has half the rows and columns.
  static FramedImage doubled_with_noise(const FramedImage& x, const engine::Random& noise, std::int64_t noise_channels,
                                        std::int64_t rows, std::int64_t columns);
  /// activation(batch norm of the convolution), by the statistics that were noted; weight [filters, channels, 3, 3].
  FramedImage convolved(const engine::Tensor& weight, const models::BatchNorm2d& norm,
                        const engine::Activation& activation) const;
  /// activation(weight x), weight [filters, channels, 1, 1], of the first rows and columns: [1, filters, height,
  /// width].
  engine::Tensor mixed(const engine::Tensor& weight, const engine::Activation& activation, std::int64_t height,
                       std::int64_t width) const;

 private:
  FramedImage(std::int64_t channels, std::int64_t rows, std::int64_t columns);
  std::int64_t row_size() const { return columns_ + 2; }
  std::int64_t plane_size() const { return (rows_ + 2) * row_size(); }
  /// Of the first channel, -1 and rows() being those of the frame.
  engine::real* row(std::int64_t number) { return values_.data() + (number + 1) * row_size() + 1; }
  const engine::real* row(std::int64_t number) const { return values_.data() + (number + 1) * row_size() + 1; }
  void fill_frame();

  std::int64_t channels_ = 0, rows_ = 0, columns_ = 0;
  engine::Tensor values_;
};

}  // namespace apps
