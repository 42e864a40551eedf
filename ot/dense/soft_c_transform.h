#pragma once

#include <cstdint>

#include "ot/dense/tiled_problem.h"
#include "ot/transformed.h"

namespace ot {

/// The c-transform for lambda > 0 with all points, in two passes over terms that are computed once.
CTransform soft_c_transform(const TiledProblem& problem, const TileProducts& products, double lambda, Wanted wanted);

/// How many queries to take at once. The terms of a block with all points are held between two passes, so that they are
/// computed once; blocks are so small that this takes at most 2^24 reals, or 16 for each point.
std::int64_t soft_block_size(std::int64_t batch, std::int64_t points);

}  // namespace ot
