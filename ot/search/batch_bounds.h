#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/pool.h"
#include "engine/simd/kernels.h"
#include "engine/tensor.h"
#include "ot/search/neighbour.h"
#include "ot/search/sketch.h"
#include "ot/target.h"

namespace ot {

/// The bounds of a Sketch between a batch and all points, for one psi and lambda: of each group of 16 points, in
/// the order of the sketch, the least is kept. Most blocks are so far from a query that the box around their points
/// tells it; their bounds are not taken.
///
/// Bounds are of v_ij = (u_ij / scale - ||x_i'||^2) / 2 = h_j - x_i'.y_j', where h_j = (||y_j'||^2 - (psi_j + lambda
/// log(J nu_j)) / scale) / 2: by (*) in ot/search/sketch.h v_ij >= h_j - p(x_i).p(y_j) - r(x_i) r(y_j), but for the
/// rounding that cut() allows for. The right side is (||(p, r)(x_i) - (p, r)(y_j)||^2 - ||(p, r)(x_i)||^2) / 2 + h_j -
/// ||(p, r)(y_j)||^2 / 2, so that the distance of (p, r)(x_i) to a box and the least of the last two terms over a block
/// bound it for all points of the block.
class BatchBounds {
 public:
  /// All must outlive it; x [B, d] and psi [J] are finite. Points with u > least u + reach need no bounds; with an
  /// infinite reach no box is asked.
  BatchBounds(const Sketch& sketch, const engine::Tensor& x, const engine::Tensor& psi, double lambda, double reach);

  std::int64_t size() const { return x_.dim(0); }
  const engine::Tensor& x() const { return x_; }
  const Target& target() const { return target_; }
  const Sketch& sketch() const { return sketch_; }
  const Sketch::Queries& queries() const { return queries_; }

  /// The queries of which block b may have points within the reach, in their order.
  std::span<const std::int32_t> near(std::int64_t b) const {
    const auto* const queries = static_cast<const std::int32_t*>(near_.data());
    if (near_counts_.empty()) return {queries, static_cast<std::size_t>(size())};
    return {queries + b * size(), static_cast<std::size_t>(near_counts_[static_cast<std::size_t>(b)])};
  }
  /// Their share of all pairs of queries and blocks.
  double near_share() const;
  /// The least bounds of all queries over group g of block b; +inf for those that are not near.
  const engine::real* minima(std::int64_t b, std::int64_t g) const {
    return minima_.data() + (b * engine::simd::groups_in_block + g) * size();
  }
  /// The bounds of query i for the points of a group, [group_size]; +inf for points that no query sees.
  void bounds(std::int64_t i, std::int64_t group, engine::real* bounds) const;
  /// No point with u <= `highest` has a bound above this.
  engine::real cut(std::int64_t i, double highest) const;
  /// e in u_ij >= u + scale e, for points whose bound is `bound`.
  double above(std::int64_t i, engine::real bound, double u) const;

  /// The point with the least bound, which is nearly the best, and its value.
  Neighbour least(std::int64_t i) const { return least_of(i, nearest_blocks_[static_cast<std::size_t>(i)]); }

  /// The h_j of block b, [block_size].
  const engine::real* offsets(std::int64_t b) const { return h_.data() + b * engine::simd::block_size; }
  /// ||x_i'||^2
  double squared_norm(std::int64_t i) const { return queries_.squared_norm[static_cast<std::size_t>(i)]; }

  /// The point at a place.
  std::int64_t point(std::int64_t place) const { return sketch_.index().order()[static_cast<std::size_t>(place)]; }
  /// u_ij, and from ||x_i - y_j||^2.
  double value(std::int64_t i, std::int64_t j) const {
    return value_at(target_.squared_distance(x_.data() + i * target_.dimension(), j), j);
  }
  double value_at(double squared_distance, std::int64_t j) const {
    return target_.scale() * squared_distance - psi_.data()[j] -
           lambda_ * target_.log_weights()[static_cast<std::size_t>(j)];
  }

 private:
  void prepare_offsets();
  engine::Tensor box_bounds() const;
  std::vector<engine::real> box_cuts(const engine::Tensor& boxes, double reach);
  void find_near(double reach);
  void bound_groups();
  void bound_group_minima(std::int64_t b, std::span<const std::int32_t> queries);
  Neighbour least_of(std::int64_t i, std::int64_t b) const;
  double margin(std::int64_t i) const {
    return static_cast<double>(queries_.margin[static_cast<std::size_t>(i)]) + rounding_of_h_;
  }

  const Target& target_;
  const Sketch& sketch_;
  const engine::Tensor &x_, &psi_;
  double lambda_;
  Sketch::Queries queries_;
  engine::Tensor h_, box_offsets_, minima_;
  engine::Buffer near_;                       // 32-bit [blocks, B]; each row begins with a block's near queries
  std::vector<std::int64_t> near_counts_;     // empty if all are near all blocks: then one row tells it
  std::vector<std::int64_t> nearest_blocks_;  // those with the least bounds, [B]
  double rounding_of_h_ = 0;
};

}  // namespace ot
