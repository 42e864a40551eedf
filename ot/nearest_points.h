#pragma once

#include <cstdint>
#include <vector>

#include "ot/batch_bounds.h"
#include "ot/neighbour.h"

namespace ot {

/// For lambda = 0: of these queries all points with u <= least u + reach, written to neighbours[0], ...; empty for a
/// query that costs more than `most`. Adds to work[0], ...
///
/// The groups whose least bound is below a query's cut are gone through once more, and the points whose coarse bound is
/// below it are asked for their fine bound. Those whose fine bound is below it too, usually few, are asked for their
/// true value, in double, in the order of their bounds: the least value lowers the cut, and the search ends at the
/// first bound above it.
void find_nearest(const BatchBounds& bounds, double reach, double most, const std::vector<std::int64_t>& indices,
                  std::vector<Neighbour>* neighbours, SearchWork* work);

}  // namespace ot
