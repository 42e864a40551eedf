#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensor.h"
#include "ot/target.h"

namespace ot {

/// A few coordinates of every point that bound all distances from below.
///
/// Let y' = y - mean, D an orthonormal basis of some directions, p(y) = D y', and r(y) = ||y' - D^T p(y)|| what they
/// leave out. For any x, x'.y' = p(x).p(y) + (x' - D^T p(x)).(y' - D^T p(y)), so by Cauchy-Schwarz
///
///     x'.y' <= p(x).p(y) + r(x) r(y)                                                                           (*)
///
/// One more coordinate in a product of short vectors, (p, r), therefore bounds ||x - y||^2 = ||x'||^2 + ||y'||^2 - 2
/// x'.y' from below. The directions are the leading principal ones of the points, where images have most of their
/// variance, and one that is fitted to the batch: its mean residual, along which a generator's images differ from the
/// data.
///
/// Rounding. With u the unit roundoff, a computed product of length n errs by at most n u times both lengths (to first
/// order). The k computed coordinates of x and y, the departure of D from orthonormal and the product (p, r).(p, r) add
/// up to less than 4 (sqrt(k) + 1) d u ||x'|| ||y'|| in (*); r is rounded up by its own error. margin() is that sum.
class Sketch {
 public:
  /// Principal directions by subspace iteration on a sample, then the coordinates of all points in their order.
  explicit Sketch(const Target& target);

  /// How many coordinates (p, r) have, the fitted direction among them.
  std::int64_t dimension() const { return directions_ + 2; }
  /// Blocks of engine::simd::block_size points; the last is filled up with points that no query sees (offsets +inf).
  std::int64_t blocks() const { return blocks_; }
  /// Coordinates of block b, [dimension, block_size], as engine::simd::Kernels::block_minima takes them.
  const real* block(std::int64_t b) const;

  /// Turns the fitted direction to the mean residual of the batch x [B, d]: one pass over all points.
  void fit(const engine::Tensor& x);
  /// How often fit() has run.
  std::int64_t fits() const { return fits_; }

  /// x' = x - mean and the coordinates (p, r) of each row of x [B, d].
  struct Queries {
    engine::Tensor centred;      ///< [B, d]
    engine::Tensor coordinates;  ///< [B, dimension]
    std::vector<double> norms;   ///< ||x'||
  };
  Queries queries(const engine::Tensor& x) const;

  /// How far rounding may take the computed right side of (*) below the true left side, for a query with this norm.
  double margin(double query_norm) const;
  /// The same for a product x'.(y - mean) computed as x'.y - x'.mean in real arithmetic.
  double product_margin(double query_norm) const;

 private:
  void find_directions();
  void project_points();
  real residual(double squared_norm, double squared_coordinates) const;

  const Target& target_;
  std::int64_t directions_, blocks_;
  engine::Tensor basis_;                // [directions + 1, d], the fitted direction last; rows are unit or zero
  engine::Tensor points_;               // [blocks, dimension, block_size]
  std::vector<real> squared_in_basis_;  // ||p(y_j)||^2 over the principal directions
  double point_norm_ = 0;               // the largest ||y_j - mean||
  double mean_norm_ = 0;
  std::int64_t fits_ = 0;
};

}  // namespace ot
