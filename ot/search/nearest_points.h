#pragma once

#include <cstdint>
#include <vector>

#include "ot/bytes/byte_products.h"
#include "ot/search/batch_bounds.h"
#include "ot/search/neighbour.h"

namespace ot {

/// For lambda = 0: of these queries all points with u <= least u + reach, for each one's own list; none for a query
/// that costs more than `most`. Writes work[0], ... What the queries share is shared out as among `batch` queries like
/// them.
///
/// The blocks with groups whose least bound is below a query's cut are gone through once more, for all queries while a
/// block is in the cache. Where many queries need a block, and the points are in 8-bit `blocks` (null if not), all are
/// multiplied in 16 bits (ByteProducts), which is a better bound. The points whose bound is below the cut, usually few,
/// are asked for their true value, in double, in the order of their bounds: the least value lowers the cut, and the
/// search ends at the first bound above it.
std::vector<std::vector<Neighbour>> find_nearest(const BatchBounds& bounds, ByteBlocks* blocks, double reach,
                                                 double most, const std::vector<std::int64_t>& queries,
                                                 std::int64_t batch, std::vector<SearchWork>& work);

}  // namespace ot
