#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensor.h"

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

}  // namespace ot
