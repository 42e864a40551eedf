#pragma once

#include "engine/tape.h"

namespace engine {

/// What a layer applies to its sums, element by element.
struct Activation {
  enum class Kind { identity, leaky_relu, sigmoid };

  Kind kind = Kind::identity;
  double slope = 0;  ///< of leaky_relu below 0, not negative; 0 is ReLU

  static Activation leaky_relu(double slope) { return {Kind::leaky_relu, slope}; }
  static Activation relu() { return leaky_relu(0); }
  static Activation sigmoid() { return {Kind::sigmoid}; }
};

/// activation(x weight^T + bias), PyTorch's layout: x [B, in], weight [out, in], bias [out] -> [B, out]. Bias and
/// activation are applied to each tile of the product while it is in the cache, and for the gradient the result alone
/// is kept, not the sums. Columns of x that are 0 in 256 rows are left out of the product. Throws Error where shapes do
/// not fit, and for a slope that is negative or not finite.
Var linear(const Var& x, const Var& weight, const Var& bias, const Activation& activation = {});

}  // namespace engine
