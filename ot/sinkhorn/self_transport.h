#pragma once

#include <cstdint>

#include "engine/tape.h"
#include "ot/target.h"

namespace ot {

/// W_lambda(mu, mu) (74) of the uniform measure mu on the points x [B, d], in the cost of `target`, which must be
/// symmetric, -> scalar; lambda > 0. Halved, it is the middle term of the Sinkhorn divergence (72). Its gradient in x_i
/// is (2 / B) grad chi_*(x_i), (88), where chi_*, from the symmetric Sinkhorn iteration, is its own c-transform to mu.
/// Both are NaN where x is not finite. Throws Error for an x that does not fit the target and for a lambda that is not
/// positive and finite, and `[self_transport] can not be differentiated twice`.
engine::Var self_transport(const Target& target, const engine::Var& x, double lambda);

/// W_lambda(nu, nu), the term of (72) that does not depend on theta; lambda > 0. Where nu has more than `most_points`
/// points, that of the uniform measure on as many draws from nu, which `seed` decides.
double self_transport(const Target& nu, double lambda, std::int64_t most_points, std::uint64_t seed);

}  // namespace ot
