#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ot/target.h"

namespace ot {

/// The responsibilities p_l of a block's points, for those queries that give them some, and the queries' sums of points
/// that they add to.
class BlockShares {
 public:
  /// The target must outlive it.
  explicit BlockShares(const Target& target) : target_(target) {}

  /// Those of one query for the block's points: p_l = weight term_l, or 0 where that is below `least`; NaN stays.
  /// `sum`, [d], must last until the block ends. Returns sum_l p_l.
  double add(double weight, double least, std::span<const real> terms, real* sum);

  /// sum += sum_l p_l y_l for each query; the points of the next block follow.
  void end_block(std::span<const std::int64_t> points);

 private:
  const Target& target_;
  std::vector<real> shares_;  // [queries, engine::simd::block_size], with room for more
  std::vector<real*> sums_;
};

}  // namespace ot
