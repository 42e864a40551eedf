#pragma once

#include "engine/tensor.h"
#include "ot/target.h"

namespace ot {

/// What some x [n, d] pay to the points of a target, in units of its cost.
struct SampledCosts {
  double mean = 0;     ///< over all pairs
  double nearest = 0;  ///< the mean over x of the least
  double spread = 0;   ///< the mean over x of the standard deviation over the points: how far psi may have to reach
  double largest = 0;  ///< of all pairs

  SampledCosts(const Target& target, const engine::Tensor& x);
};

}  // namespace ot
