#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/pool.h"
#include "engine/real.h"
#include "ot/bytes/byte_products.h"
#include "ot/search/batch_bounds.h"
#include "ot/search/search_work.h"

namespace ot {

/// A way to the values of all 8-bit points of a block in integers; null where there is none, or none as fine as the
/// terms need.
struct ByteValues {
  const ByteProducts* products = nullptr;  ///< of x'
  ByteBlocks* blocks = nullptr;            ///< with these, in the order of the sketch
  int digits = 0;                          ///< of these many digits
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

/// The search for the terms of a batch that matter, lambda > 0.
///
/// What is left out adds up to at most 2 J e^{-reach / lambda} of the sum of all terms: groups of 16 points that, by
/// their least bounds, have terms so small that all of them together are below half of that, and of the other groups
/// points that together are below the other half. The other groups are gone through block by block for all queries,
/// while a block is in the cache: the points that their own bound allows are asked for their value, or all of them
/// where that is faster.
class TermSearch {
 public:
  /// The bounds, and what the values refer to, must outlive it.
  TermSearch(const BatchBounds& bounds, const ByteValues& values, double lambda, double reach);

  /// The work of find() for a query, on average, as the bounds tell it.
  SearchWork expected_work() const;
  /// The terms; writes the work for each query.
  SoftminTerms find(std::vector<SearchWork>& work) const;

 private:
  struct Query {
    double origin, best;     // the least u at the start, and so far
    double reach;            // points with u > best + reach don't matter
    engine::real cut;        // of the bounds of points that may matter
    engine::real least_sum;  // of a whole block's terms e^{(origin - u) / lambda}: below, none of its points matters
  };
  // The queries that need some groups of a block, and of each those, a bit for a group.
  struct Needs {
    std::vector<std::int32_t> queries;
    std::vector<std::uint8_t> groups;
    std::int64_t all_groups = 0;
    bool multiplied = false;  // or point by point
  };
  class Visit;

  void start(std::int64_t begin, std::int64_t end);
  Needs needs_of(std::int64_t b) const;
  SearchWork work_of_points(const Needs& needs) const;
  double work_of_block(const Needs& needs) const;
  Visit visit(std::int64_t begin, std::int64_t end) const;
  void visit_points(std::int32_t q, std::int64_t b, std::uint8_t groups, Visit& visit) const;
  void visit_blocks(std::span<const std::int64_t> blocks, Visit& visit) const;

  const BatchBounds& bounds_;
  ByteValues values_;
  double lambda_, reach_;
  std::vector<Query> queries_;
  std::vector<engine::real> group_cuts_;  // of the least bounds of groups that may matter to each query
  std::vector<Needs> needs_;              // of each block
  double centre_;  // what offsets have in common, such as a constant in psi: real rounds what differs
};

}  // namespace ot
