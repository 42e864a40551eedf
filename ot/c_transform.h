#pragma once

#include "engine/tensor.h"
#include "ot/target.h"
#include "ot/transformed.h"

namespace ot {

/// The c-transform of psi [J] at x [B, d], with what is wanted beside its value, by visiting every point for every x,
/// in products of real or by the ground cost's own values: a pure function, which a Transformer must agree with. No [B,
/// J] matrix is held, but at most 2^24 reals, or 16 for each point, and 2^13 d for the gradient. The bits do not depend
/// on the number of threads. Throws Error for shapes that do not fit and for a lambda that is negative, not finite, or
/// positive but so small that 1 / lambda overflows.
CTransform c_transform(const Target& target, const engine::Tensor& x, const engine::Tensor& psi, double lambda,
                       Wanted wanted = {});

/// Throws these errors.
void require_transformable(const Target& target, const engine::Tensor& x, const engine::Tensor& psi, double lambda);

}  // namespace ot
