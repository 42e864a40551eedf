#pragma once

#include <cstdint>
#include <vector>

#include "ot/dense/tiled_problem.h"
#include "ot/transformed.h"

namespace ot {

/// c_transform() by visiting every point of the target for every x, in products of real for ||x - y||^2, by the ground
/// cost's values for any other. The arguments have been checked.
CTransform dense_c_transform(const Target& target, const engine::Tensor& x, const engine::Tensor& psi, double lambda,
                             Wanted wanted);

/// For lambda = 0: which point attains the minimum for each query of a problem in the points' own order, [B]: those
/// within rounding of the least over a tile are compared by their exact costs. -1 for a query that has none.
std::vector<std::int64_t> least_points(const TiledProblem& problem, const TileValues& values);

}  // namespace ot
