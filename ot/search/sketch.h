#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/tensor.h"
#include "ot/bytes/byte_products.h"
#include "ot/search/point_index.h"

namespace ot {

/// A few coordinates of every point that bound all distances from below.
///
/// Let y' = y - mean, D the orthonormal rows of some directions, p(y) = D y', and r(y) = ||y' - D^T p(y)|| what they
/// leave out. For any x, x'.y' = p(x).p(y) + (x' - D^T p(x)).(y' - D^T p(y)), so by Cauchy-Schwarz
///
///     x'.y' <= p(x).p(y) + r(x) r(y)                                                                           (*)
///
/// One more coordinate in a product of short vectors, (p, r), therefore bounds ||x - y||^2 = ||x'||^2 + ||y'||^2 -
/// 2 x'.y' from below, and the better the more of x or y the directions hold: C, those of the points (PointIndex), and
/// Q, fitted to the queries: the leading directions of what C leaves of a batch.
///
/// Rounding, with u the unit roundoff and k directions. A computed product of length d errs by at most d u times both
/// lengths (to first order), so the computed coordinates p^ of a point err by a vector of length at most sqrt(k) d u
/// ||y'||. (*) with p^ in place of p then fails by at most 2 sqrt(k) d u ||x'|| ||y'||, where ||x'|| stands for the
/// length of the query's coordinates if that is larger; the directions depart from orthonormal by less than sqrt(k) d
/// u, and the short product of k + 1 coordinates errs by (k + 2) u of the lengths. The margin, (3 sqrt(k) + 4) d u, is
/// above the sum, as 1 <= k <= d. r is rounded up by the error of its square, (2 sqrt(k) + 2) d u ||y'||^2.
///
/// Points stand in the order of the index, in which those of a block are neighbours: what a query needs of them then
/// lies in few blocks.
class Sketch {
 public:
  /// How many directions are fitted to a batch, as the dimension allows.
  static constexpr std::int64_t most_fitted = 8;

  /// The points' coordinates along C. The index must outlive it.
  explicit Sketch(const PointIndex& index);

  const PointIndex& index() const { return index_; }
  /// ||y'||^2 of the point at each place, [J].
  const std::vector<real>& squared_norms() const { return squared_norms_; }
  /// The points at the places of block b.
  std::span<const std::int64_t> points_of(std::int64_t b) const;

  /// How many coordinates there are: principal ones, fitted ones, and r.
  std::int64_t dimension() const { return principal_ + fitted_ + 1; }
  /// Blocks of engine::simd::block_size points; the last is filled up with points that no query sees (offsets +inf).
  std::int64_t blocks() const { return blocks_; }
  /// Coordinates of block b, [dimension, block_size].
  const real* block(std::int64_t b) const;

  /// The least and the largest of each coordinate in every block, [blocks, dimension, 2].
  const engine::Tensor& boxes() const { return boxes_; }
  /// The squared length of the coordinates of the point at each place, [J].
  const std::vector<real>& squared_lengths() const { return squared_lengths_; }

  /// Fits Q to the batch x [B, d]: one pass over all points, in digits where they are laid out for them.
  void fit(const engine::Tensor& x, ByteBlocks* blocks);

  /// The coordinates of each row of x [B, d].
  struct Queries {
    engine::Tensor centred;            ///< x' [B, d]
    engine::Tensor coordinates;        ///< [B, dimension]: C x', Q x', r
    std::vector<double> squared_norm;  ///< ||x'||^2
    std::vector<real> margin;          ///< how far a computed right side of (*) may be too low
  };
  Queries queries(const engine::Tensor& x) const;

  /// Asks for the coordinates of a group of engine::simd::group_size points to be brought to the cache.
  void prefetch_group(std::int64_t group) const;

 private:
  const Target& target() const { return index_.target(); }
  real* direction(std::int64_t row) { return basis_.data() + row * target().dimension(); }
  void project_points();
  void find_fitted_directions(const engine::Tensor& x);
  void use_fitted_directions(ByteBlocks* blocks);
  void enclose(std::int64_t b, std::int64_t first);
  void gather(std::span<const std::int64_t> points, real* rows) const;  // minus the mean
  real residual(double squared_norm, double squared_coordinates) const;
  std::int64_t offset(std::int64_t place, std::int64_t k) const;  // of coordinate k of a place

  const PointIndex& index_;
  std::int64_t principal_, fitted_, blocks_;
  engine::Tensor basis_;                   // [principal + fitted, d]: C and Q; rows are unit or zero
  engine::Tensor points_;                  // [blocks, dimension, block_size]
  engine::Tensor boxes_;                   // [blocks, dimension, 2]
  std::vector<real> squared_norms_;        // [J]
  std::vector<real> squared_principal_;    // [J], ||C y'||^2
  std::vector<real> squared_lengths_;      // [J], of (p, r)
  double point_norm_ = 0, mean_norm_ = 0;  // the largest ||y_j - mean||, and ||mean||
  bool is_fitted_ = false;
};

}  // namespace ot
