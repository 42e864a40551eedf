#pragma once

#include <cstdint>
#include <vector>

#include "apps/paper/claims/row.h"

namespace apps::claims {

/// Proposition 2 at p = 1, 2 and 3, on the line: for mu_theta = delta_theta, nu = (delta_y1 + delta_y2) / 2 and
/// c(x, y) = |x - y|^p, h is differentiable and F(psi*, .) is not; and where, for p = 1, it is all the same.
std::vector<Row> proposition_2(std::uint64_t seed);

}  // namespace apps::claims
