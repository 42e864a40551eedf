#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "ot/search/neighbour_search.h"
#include "ot/search/point_index.h"

namespace ot {

/// The winners of these rows by a visit to all points, for those that a search leaves out.
using AllVisited = std::function<std::vector<std::int64_t>(const engine::Tensor& x)>;

/// For lambda = 0: dense_winners() from the points that a search finds by this index, for arguments that have been
/// checked and are finite; nothing where a visit to all points is the better way.
std::optional<std::vector<std::int64_t>> searched_winners(NeighbourSearch& search, const PointIndex& index,
                                                          const AllVisited& brute, const engine::Tensor& x,
                                                          const engine::Tensor& psi);

}  // namespace ot
