#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "ot/search/neighbour_search.h"
#include "ot/search/point_index.h"
#include "ot/soft_transform.h"

namespace ot {

/// The same psi and lambda with all points, for rows that a search leaves out.
using BruteForce = std::function<CTransform(const engine::Tensor& x, Wanted wanted)>;

/// c_transform() for lambda > 0 from the points that a search finds by this index, for arguments that have been checked
/// and are finite; nothing where the brute force is the better way.
///
/// The terms of the points that are left out add up to at most 2^-m of the sum, where m is the number of digits of
/// real, 24 for float, and of the gradient 2^(4 - m), so that values, responsibilities and gradients are those of all
/// points to the accuracy of real.
std::optional<CTransform> pruned_c_transform(NeighbourSearch& search, const PointIndex& index, const BruteForce& brute,
                                             const engine::Tensor& x, const engine::Tensor& psi, double lambda,
                                             Wanted wanted);

/// The same in two halves, with the terms of all queries; null where the brute force is the better way. The index must
/// outlive it.
std::unique_ptr<SoftTransform> pruned_soft_transform(NeighbourSearch& search, const PointIndex& index,
                                                     const engine::Tensor& x, const engine::Tensor& psi, double lambda);

}  // namespace ot
