#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "engine/tensor.h"
#include "ot/named_tensors.h"

namespace apps {

/// The affine map of --scale between the points of the data, x, and those that a generator learns and whose costs are
/// taken, y: x = shift + y scale, with a number `scale` for each coordinate or a symmetric matrix. Of J training points
///   - standard: the mean, and the standard deviations (with 1 / J), so that each coordinate of y has mean 0, variance
///   1;
///   - minmax: the least values and the lengths of the ranges, so that y lies in [0, 1]^d;
///   - whiten: the mean, and the square root of the covariance matrix, so that y has covariance 1 (ZCA).
/// What does not vary is not stretched: coordinates that are constant, which come to 0 (minmax: 1/2), and for `whiten`
/// directions in which the points vary by no more than their numbers are rounded.
class Scaling {
 public:
  Scaling() = default;  ///< x = y, `none`
  /// Shift [d] and scale, [d] or [d, d]. Throws Error unless the sizes fit, all is finite and the scale can be undone.
  Scaling(std::vector<double> shift, std::vector<double> scale);
  /// Fits the map that `kind`, the value of --scale, names. Throws Error for images, and for an unknown word.
  static Scaling fit(const std::string& kind, const data::Dataset& points);

  bool none() const { return shift_.empty(); }
  const std::vector<double>& shift() const { return shift_; }
  const std::vector<double>& scale() const { return scale_; }
  /// What is not stretched, in words; empty where all is. Known of a map that was fitted.
  const std::string& unscaled() const { return unscaled_; }
  /// A line about a column that lies so far from 0 that rounding leaves little of it; empty where none does. Likewise.
  const std::string& coarse() const { return coarse_; }

  /// The y of the points x. Throws Error for another dimension.
  data::Dataset apply(data::Dataset points) const;
  /// The x of the points y, [n, d] both.
  engine::Tensor undo(const engine::Tensor& y) const;
  /// The first `coordinates` <= d of each, [n, coordinates].
  engine::Tensor undo(const engine::Tensor& y, std::int64_t coordinates) const;

  /// `scaling.shift` and `scaling.scale`, for a checkpoint; nothing for `none`.
  ot::NamedTensors tensors() const;

 private:
  bool diagonal() const { return scale_.size() == shift_.size(); }

  std::vector<double> shift_, scale_, inverse_;  // inverse_ of scale_, laid out like it
  std::string unscaled_, coarse_;
};

}  // namespace apps
