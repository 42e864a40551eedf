#pragma once

#include "engine/tensor.h"
#include "ot/target.h"

namespace apps {

/// The normal law with the mean m and the covariance C of a target, as an affine map of the standard one.
class DataGaussian {
 public:
  explicit DataGaussian(const ot::Target& nu);

  /// m + L z with L L^T = C for each row of z [B, d], [B, d]: coordinate k of z is that along the k-th principal axis,
  /// from the shortest on.
  engine::Tensor operator()(const engine::Tensor& z) const;

 private:
  engine::Tensor mean_;  // [1, d]
  engine::Tensor axes_;  // [d, d], row k the k-th axis times its deviation
};

}  // namespace apps
