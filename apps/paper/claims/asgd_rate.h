#pragma once

#include <cstdint>
#include <vector>

#include "apps/paper/claims/row.h"

namespace apps::claims {

/// Section 6.1: with alpha = 1/2, ASGD (102) comes to within O(log k / sqrt k) of h(theta) = max H(., theta) in k
/// steps. The exponent of k, fitted to the mean of several runs, at lambda = 0 and lambda > 0, is to be that of log k /
/// sqrt k over the same k, or less.
std::vector<Row> asgd_rate(std::uint64_t seed);

}  // namespace apps::claims
