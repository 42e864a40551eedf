#pragma once

#include <optional>

#include "ot/c_transform.h"

namespace ot {

/// c_transform() from the points that a NeighbourSearch finds, for arguments that have been checked; nothing where the
/// brute force is the better way.
///
/// lambda = 0: the winner is the least u in double, the lowest index of equals, hence the brute force's wherever float
/// rounding can tell. lambda > 0: the terms of the points that are left out add up to at most 2^-m of the sum, where m
/// is the number of digits of real, 24 for float, and of the gradient 2^(4 - m), so that values, responsibilities and
/// gradients are those of all points to the accuracy of real.
std::optional<CTransform> pruned_c_transform(const Target& target, const engine::Tensor& x, const engine::Tensor& psi,
                                             double lambda, Wanted wanted);

}  // namespace ot
