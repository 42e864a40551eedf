#pragma once

#include <cstdint>
#include <memory>

#include "ot/dense/tiled_problem.h"
#include "ot/soft_transform.h"
#include "ot/transformed.h"

namespace ot {

/// The c-transform for lambda > 0 with all points, in two passes over terms that are computed once. The terms of a
/// block of queries with all points are held between the passes; blocks are so small that this takes at most 2^24
/// reals, or 16 for each point.
CTransform soft_c_transform(const TiledProblem& problem, const TileValues& values, double lambda, Wanted wanted);

/// So few queries of a batch in a block, as even as can be.
std::int64_t block_of_queries(std::int64_t batch, std::int64_t points);

/// The same in two halves, with the terms of all queries.
std::unique_ptr<SoftTransform> soft_transform(std::shared_ptr<const TiledProblem> problem,
                                              std::shared_ptr<const TileValues> values, double lambda);

}  // namespace ot
