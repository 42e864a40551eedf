#pragma once

#include <cstdint>
#include <vector>

#include "engine/ops/activation.h"
#include "engine/random.h"
#include "engine/tensor.h"
#include "models/layers.h"

namespace apps {

// What a TextureNetwork makes of images [channels, rows, columns] without a tape: some rows after others, on all
// threads, so that only what comes of a scale is ever whole.

/// leaky ReLU of slope 0.2 (batch norm of a 3x3 convolution), by the statistics that were noted.
class WrappedConvolution {
 public:
  WrappedConvolution(const models::Conv2d& convolution, const models::BatchNorm2d& norm);

  std::int64_t filters() const { return std::ssize(start_); }
  /// One row: `from` is the first channel's pixel above and left of its first, in planes of `plane` values and rows of
  /// columns + 2; `to` has the result, in planes of `to_plane` values.
  void row(const engine::real* from, std::int64_t plane, std::int64_t columns, engine::real* to,
           std::int64_t to_plane) const;

 private:
  std::int64_t channels_;
  engine::Tensor by_taps_;           // [9, filters, channels], times the batch norm's factor
  std::vector<engine::real> start_;  // what it adds
};

/// Two convolutions, with wrapped edges, of x with each pixel four times and of `noise_channels` more of noise, uniform
/// on [-1, 1), element i of [noise_channels, rows, columns] draw number i. x [C, rows / 2, columns / 2] may be empty.
engine::Tensor refined(const engine::Tensor& x, const engine::Random& noise, std::int64_t noise_channels,
                       std::int64_t rows, std::int64_t columns, const WrappedConvolution& first,
                       const WrappedConvolution& second);

/// activation(weight x) of the first rows and columns, weight [filters, C, 1, 1]: [1, filters, height, width].
engine::Tensor mixed(const engine::Tensor& x, const engine::Tensor& weight, const engine::Activation& activation,
                     std::int64_t height, std::int64_t width);

}  // namespace apps
