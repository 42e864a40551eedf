#pragma once

#include "engine/ops/activation.h"
#include "engine/tape.h"

namespace engine {

/// activation(x weight^T + bias), PyTorch's layout: x [B, in], weight [out, in], bias [out] -> [B, out]. Bias and
/// activation are applied to each tile of the product while it is in the cache, and for the gradient the result alone
/// is kept, not the sums. Columns of x that are 0 in 256 rows are left out of the product. Throws Error where shapes do
/// not fit, and for a slope that is negative or not finite.
Var linear(const Var& x, const Var& weight, const Var& bias, const Activation& activation = {});

}  // namespace engine
