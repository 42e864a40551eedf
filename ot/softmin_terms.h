#pragma once

#include <cstdint>
#include <vector>

#include "engine/pool.h"
#include "engine/real.h"
#include "ot/batch_bounds.h"
#include "ot/byte_distances.h"
#include "ot/byte_products.h"
#include "ot/neighbour.h"

namespace ot {

/// Ways to the values of 8-bit points in integers; null where there is none, or none as fine as the terms need.
struct ByteValues {
  const ByteDistances* apart = nullptr;  ///< of single points: a value then costs no more than a fine bound
  const ByteProducts* blocks = nullptr;  ///< of x' with all points of a block, where a query needs many of them
  ByteBlocks* laid_out = nullptr;        ///< with `blocks`: those of the sketch

  /// Whether whole blocks are always faster than single points, so that `apart` is not used.
  bool blocks_alone() const;
};

/// The terms of some queries' softmins that matter, e^{(base - u) / lambda}: a row holds those of one query with the
/// points of one block of the sketch, 0 for places without a point and for points that were not asked for.
struct SoftminTerms {
  struct Row {
    std::int32_t query, block;
    double base;
    engine::real sum;
  };
  /// A stretch of blocks, whose rows stand in the order of blocks, with their terms [rows, block_size].
  struct Piece {
    std::vector<Row> rows;
    engine::Buffer buffer;

    engine::real* terms() { return static_cast<engine::real*>(buffer.data()); }
    const engine::real* terms() const { return static_cast<const engine::real*>(buffer.data()); }
  };
  static constexpr std::int64_t blocks_in_piece = 32;

  std::vector<Piece> pieces;  ///< one for each blocks_in_piece blocks
};

/// The terms that matter for these queries, lambda > 0. Writes work[0], ...
///
/// What is left out adds up to at most 2 J e^{-reach / lambda} of the sum of all terms: groups of 16 points that, by
/// their least bounds, have terms so small that all of them together are below half of that, and of the other groups
/// points that together are below the other half. The other groups are gone through block by block for all queries,
/// while a block is in the cache: the points that their own bound allows are asked for their value, or all of a block
/// where that is faster.
SoftminTerms find_terms(const BatchBounds& bounds, const ByteValues& values, double lambda, double reach,
                        const std::vector<std::int64_t>& queries, SearchWork* work);

/// The work that find_terms() has for all queries, on average, as the bounds of these few tell it.
SearchWork expected_work(const BatchBounds& bounds, const ByteValues& values, double lambda, double reach,
                         const std::vector<std::int64_t>& queries);

}  // namespace ot
