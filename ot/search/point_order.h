#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/real.h"

namespace ot {

/// An order of points in which neighbours stand together, the leaves of a k-d tree from left to right: place p is taken
/// by the point order[p].
///
/// `coordinates` are [J, dimension]. Every part is cut across its widest coordinate near the median, such that the
/// blocks and the groups of engine::simd are leaves: at a multiple of block_size where the part is longer than that, of
/// group_size within a block.
std::vector<std::int64_t> tree_order(std::span<const engine::real> coordinates, std::int64_t dimension);

}  // namespace ot
