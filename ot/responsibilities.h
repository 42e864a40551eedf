#pragma once

#include "engine/tensor.h"
#include "ot/target.h"

namespace ot {

/// The responsibilities p_ij = nu_j e^{(psi_j - c(x_i, y_j)) / lambda} over their sum in j, of psi [J] at x [B, d] for
/// lambda > 0 -> [B, J], whose rows sum to 1; NaN for an x_i that is not finite. As exact as products in real; the bits
/// do not depend on the number of threads. Throws Error as c_transform() does, and for lambda = 0.
engine::Tensor responsibilities(const Target& target, const engine::Tensor& x, const engine::Tensor& psi,
                                double lambda);

}  // namespace ot
