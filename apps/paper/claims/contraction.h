#pragma once

#include <cstdint>
#include <vector>

#include "apps/paper/claims/row.h"

namespace apps::claims {

/// Section 2.1: Sinkhorn's iteration (13), one c-transform after the other, contracts in Hilbert's metric, the range
/// max - min of a difference of potentials over lambda. By Birkhoff's theorem a c-transform does at the rate tanh(D /
/// 4) or faster, D being the largest (c_ij + c_kl - c_il - c_kj) / lambda (Franklin and Lorenz, Linear Algebra and its
/// Applications, 1989; Peyre and Cuturi 2019, theorems 4.1 and 4.2), and on two points it can come as near to that rate
/// as one likes.
std::vector<Row> contraction(std::uint64_t seed);

}  // namespace apps::claims
