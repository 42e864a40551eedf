#pragma once

#include <cstdint>
#include <vector>

#include "ot/batch_bounds.h"
#include "ot/byte_distances.h"
#include "ot/neighbour.h"

namespace ot {

/// For lambda > 0: of these queries the points whose terms e^{-u / lambda} matter, in the order of their indices,
/// written to neighbours[0], ... Writes work[0], ...
///
/// What is left out adds up to at most 2 J e^{-reach / lambda} of the sum of all terms: points with u > least u +
/// reach, and groups of 16 points that, by their least bounds, have terms so small that all of them together are below
/// half of that. The points of the other groups whose bound allows it are asked for their value block by block for all
/// queries, while a block is in the cache; in integers, if there are `distances`, a value costs no more than a fine
/// bound.
void find_terms(const BatchBounds& bounds, const ByteDistances* distances, double lambda, double reach,
                const std::vector<std::int64_t>& queries, std::vector<Neighbour>* neighbours, SearchWork* work);

}  // namespace ot
