#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ot/dense/tiled_problem.h"
#include "ot/soft_transform.h"
#include "ot/transformed.h"

namespace ot {

/// c_transform() by visiting every point of the target for every x, in products of real for ||x - y||^2, by the ground
/// cost's values for any other. The arguments have been checked.
CTransform dense_c_transform(const Target& target, const engine::Tensor& x, const engine::Tensor& psi, double lambda,
                             Wanted wanted);

/// For lambda > 0: the same in two halves. The target must outlive it.
std::unique_ptr<SoftTransform> dense_soft_transform(const Target& target, const engine::Tensor& x,
                                                    const engine::Tensor& psi, double lambda);

/// For lambda = 0: which point attains the minimum of c(x_i, y_j) - psi_j in double, [B], of equals the first; -1 for a
/// row that has none.
std::vector<std::int64_t> dense_winners(const Target& target, const engine::Tensor& x, const engine::Tensor& psi);

/// The same for a problem in the points' own order, by these values: points that may be the least by what the values
/// are off are compared in double.
std::vector<std::int64_t> least_points(const TiledProblem& problem, const TileValues& values);

}  // namespace ot
