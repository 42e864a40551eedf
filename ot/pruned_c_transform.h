#pragma once

#include <memory>
#include <optional>

#include "ot/c_transform.h"
#include "ot/sketch.h"

namespace ot {

/// The c-transform for lambda = 0 by nearest-neighbour search instead of a full product: exact, and it looks closely at
/// a few hundred points a query where the brute force looks at all.
///
/// 1. The sketch's short products give a lower bound of c(x_i, y_j) - psi_j for all i, j; of each block of 64 points
/// only
///    the least bound is kept.
/// 2. A query visits its blocks in the order of their least bounds, computes the true product for those points whose
///    bound is below the best value so far, and stops at the first block whose least bound is above it.
/// 3. Points within rounding of the best are compared in double, lowest index first.
///
/// Bounds are compared with Sketch::margin(), so rounding never hides the winner. Where the bounds don't separate
/// points, the sketch is fitted to the batch; where that doesn't help either, it is left alone for a while, so that
/// hostile data costs hardly more than the brute force alone.
class PrunedCTransform {
 public:
  /// The target must outlive it.
  explicit PrunedCTransform(const Target& target) : target_(target) {}

  /// The winner of each row of x [B, d], finite, for psi [J], finite, or -1 where the search was given up; nothing at
  /// all where the brute force is the better way. Not for two threads at once.
  std::optional<std::vector<std::int64_t>> winners(const engine::Tensor& x, const engine::Tensor& psi);

  /// True products computed a query in the last call, on average: how well the bounds prune.
  double products_per_query() const { return products_per_query_; }

 private:
  struct Search;
  bool bounds_help(const Search& search) const;

  const Target& target_;
  std::unique_ptr<Sketch> sketch_;  // made at the first call
  double products_per_query_ = 0;
  double products_after_fit_ = 0;
  std::int64_t rest_ = 0, next_rest_ = 1;  // calls to leave to the brute force, now and after the next failure
};

}  // namespace ot
