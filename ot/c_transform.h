#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensor.h"
#include "ot/target.h"

namespace ot {

/// What to compute beside the value.
struct Wanted {
  bool gradient = false;
  bool mass = false;
};

/// The c-transform of psi at the points x_1..x_B. Rows where x is NaN, and all rows where psi is, have value and
/// gradient NaN and winner -1; the mass is then NaN too.
struct CTransform {
  /// [B], (11) and (12): min_j c(x_i, y_j) - psi_j for lambda = 0, over the support of nu; otherwise
  /// -lambda log sum_j nu_j e^{(psi_j - c(x_i, y_j)) / lambda}.
  engine::Tensor value;
  /// [B, d], the gradient of the value in x_i, (43) and (56): sum_j p_ij grad_x c(x_i, y_j), where p_i are the
  /// responsibilities nu_j e^{(value_i + psi_j - c(x_i, y_j)) / lambda}, for lambda = 0 all on the winner.
  engine::Tensor gradient;
  /// [J], the means over i of p_ij; they sum to 1.
  engine::Tensor mass;
  /// [B], for lambda = 0: which j attains the minimum, the lowest of equals; otherwise empty.
  std::vector<std::int64_t> winners;
};

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
