#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/tensor.h"
#include "ot/target.h"

namespace ot {

/// Where a target's points lie: the directions in which they spread most, and an order in which neighbours stand
/// together. Built once from a target, immutable, and so shared by all who need it: searches, the layers of psi, and a
/// network psi, which is faster on images that are like each other.
///
/// Where ranks share the target, it is that of this one's points.
class PointIndex {
 public:
  static constexpr std::int64_t most_directions = 32;
  /// Points are ordered within stretches of so many, each by itself, so that nothing depends on what lies in another.
  static constexpr std::int64_t stretch = 65536;

  /// One pass over the points, after a few over a sample of 4096. The target must outlive it.
  explicit PointIndex(const Target& target);

  const Target& target() const { return target_; }
  /// C, [k, d] for k = min(most_directions, d, J): about the leading principal directions of the points, by subspace
  /// iteration on the sample. Rows are orthonormal, but for zeros where there are fewer.
  const engine::Tensor& directions() const { return directions_; }
  /// The point at each place, [J]: tree_order() of each stretch by the first 16 of these coordinates.
  const std::vector<std::int64_t>& order() const { return order_; }

  /// Writes the coordinates (y_j - mean) C^T of points begin..end-1 along the first k directions to `out`,
  /// [end - begin, k].
  void coordinates(std::int64_t begin, std::int64_t end, std::int64_t k, real* out) const;

 private:
  void find_order();

  const Target& target_;
  engine::Tensor directions_;
  std::vector<std::int64_t> order_;
};

/// The place at which each of this rank's points stands in PointIndex::order() of all, [J]; for a target that ranks
/// share a call that all of them make.
std::vector<std::int64_t> places(const PointIndex& index);

}  // namespace ot
