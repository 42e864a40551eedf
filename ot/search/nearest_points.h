#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ot/bytes/byte_products.h"
#include "ot/search/batch_bounds.h"
#include "ot/search/neighbour.h"
#include "ot/search/search_work.h"

namespace ot {

/// The search for the points of a batch with the least u, lambda = 0.
///
/// The blocks with groups whose least bound is below a query's cut are gone through once more, for all queries while a
/// block is in the cache. Where many queries need a block, and the points are in 8-bit blocks, all are multiplied in 16
/// bits (ByteProducts), which is a better bound. The points whose bound is below the cut, usually few, are asked for
/// their true value, in double, in the order of their bounds: the least value lowers the cut, and the search ends at
/// the first bound above it.
class NearestSearch {
 public:
  /// For points with u <= least u + reach. The bounds and the blocks, null where points are not multiplied in digits,
  /// must outlive it.
  NearestSearch(const BatchBounds& bounds, ByteBlocks* blocks, double reach);

  /// The work of find() for a query, on average, as the bounds tell it.
  SearchWork expected_work() const;
  /// These points of each query, none for one that is expected to cost more than `most`; writes the work for each.
  std::vector<std::vector<Neighbour>> find(double most, std::vector<SearchWork>& work) const;

 private:
  /// A point whose bound does not tell that it is beyond a query's reach.
  struct Candidate {
    std::int32_t query, place;
    engine::real bound;
  };
  struct Query {
    Neighbour first;  // the point with the least bound
    engine::real cut;
  };
  /// Some groups of a block, a bit for each, may have points that a query needs.
  struct Need {
    std::int32_t query;
    std::uint8_t groups;
  };
  struct Block {
    std::vector<Need> needs;
    double asked = 0;             // of each group, as many points as are expected to pass their bounds
    double work = 0, spared = 0;  // of its products, and what they spare; 0 where its groups are looked at one by one
  };

  Block block_of(std::int64_t b) const;
  void choose_multiplied_blocks();
  void visit(std::int64_t b, std::span<const Need> needs, std::vector<Candidate>& candidates) const;
  void multiply_block(std::int64_t b, std::span<const Need> needs, std::vector<Candidate>& candidates) const;
  void bound_groups(std::int64_t b, Need need, std::vector<Candidate>& candidates) const;
  std::vector<Neighbour> finish(std::int64_t q, std::vector<Candidate>& candidates, SearchWork& work) const;
  double expected_cost(std::int64_t q) const;
  /// Places without a point have infinite bounds, and so may cuts be.
  static bool within(engine::real bound, const Query& query);

  const BatchBounds& bounds_;
  ByteBlocks* laid_out_;
  double reach_;
  std::vector<Query> queries_;
  std::vector<Block> blocks_;
  std::vector<SearchWork> known_;         // of each query, but for the points that are asked
  std::vector<double> asked_;             // as many as are expected
  std::optional<ByteProducts> products_;  // of the queries, where blocks are multiplied
};

}  // namespace ot
