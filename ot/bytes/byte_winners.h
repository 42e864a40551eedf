#pragma once

#include <cstdint>
#include <vector>

#include "ot/bytes/byte_products.h"
#include "ot/dense/tiled_problem.h"

namespace ot {

/// A problem with its points laid out in the same order.
struct LaidOutProblem {
  const TiledProblem& problem;
  ByteBlocks& blocks;
};

/// For lambda = 0 and 8-bit points: which point attains the minimum for each query, [B]; -1 for a query that is not
/// finite. `sample` and `all` are the same problem, of points in an order that has nothing to do with where they lie
/// and in one in which they are fast to multiply; `products` are those of its queries.
///
/// Products in one digit take a part of the time of a product as fine as a float. They tell u up to a certain error,
/// and the true value, in double, is asked only of the points that may be the least by that: the winner is the least
/// true value, the lowest index of equals. Empty where that would be too many points, by a sample.
std::vector<std::int64_t> byte_winners(const LaidOutProblem& sample, const LaidOutProblem& all,
                                       const ByteProducts& products);

}  // namespace ot
