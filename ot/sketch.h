#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensor.h"
#include "ot/target.h"

namespace ot {

/// A few coordinates of every point that bound all distances from below.
///
/// Let y' = y - mean, D the orthonormal rows of some directions, p(y) = D y', and r(y) = ||y' - D^T p(y)|| what they
/// leave out. For any x, x'.y' = p(x).p(y) + (x' - D^T p(x)).(y' - D^T p(y)), so by Cauchy-Schwarz
///
///     x'.y' <= p(x).p(y) + r(x) r(y)                                                                           (*)
///
/// One more coordinate in a product of short vectors, (p, r), therefore bounds ||x - y||^2 = ||x'||^2 + ||y'||^2 - 2
/// x'.y' from below. There are two such bounds. The coarse one takes the leading principal directions, where images
/// have most of their variance, and one direction that is fitted to the batch: its mean residual, along which generated
/// images differ from the data. It stands in blocks that a kernel multiplies fast. The fine one adds the principal
/// directions that follow, in 8 bits, as a record of two cache lines a point, for the few points that pass the first.
///
/// Rounding, with u the unit roundoff and k directions. A computed product of length d errs by at most d u times both
/// lengths (to first order), so the computed coordinates p^ of a point err by a vector of length at most sqrt(k) d u
/// ||y'||. (*) with p^ in place of p then fails by at most 2 sqrt(k) d u ||x'|| ||y'||, D departs from orthonormal by
/// less than sqrt(k) d u, and the short product itself adds (k + 2) u: margin is above the sum. r is rounded up by the
/// error of its square, (2 sqrt(k) + 2) d u ||y'||^2. What the 8-bit codes miss of the coordinates is a vector e(y) of
/// known length, to which Cauchy-Schwarz applies as to the rest.
class Sketch {
 public:
  /// Principal directions by subspace iteration on a sample, then the coordinates of all points.
  explicit Sketch(const Target& target);

  /// How many coarse coordinates there are: principal ones, the fitted one, and r.
  std::int64_t dimension() const { return coarse_ + 2; }
  /// Blocks of engine::simd::block_size points; the last is filled up with points that no query sees (offsets +inf).
  std::int64_t blocks() const { return blocks_; }
  /// Coarse coordinates of block b, [dimension, block_size], as engine::simd::Kernels::block_minima takes them.
  const real* block(std::int64_t b) const;

  /// Turns the fitted direction to the mean residual of the batch x [B, d]: one pass over all points.
  void fit(const engine::Tensor& x);
  /// How often fit() has run.
  std::int64_t fits() const { return fits_; }

  /// The coordinates of each row of x [B, d].
  struct Queries {
    engine::Tensor coarse;             ///< [B, dimension]
    engine::Tensor fine;               ///< [B, fine coordinates], each times the step of its code
    std::vector<real> fine_origin;     ///< the product with the coordinates that code 0 stands for
    std::vector<real> fine_fitted;     ///< the coordinate along what the fine directions leave of the fitted one
    std::vector<real> fine_norm;       ///< the length of the fine coordinates
    std::vector<real> fine_residual;   ///< r, for all directions
    std::vector<double> squared_norm;  ///< ||x'||^2
    std::vector<real> margin;          ///< how far a computed right side of (*) may lie below the left side
  };
  Queries queries(const engine::Tensor& x) const;

  /// Asks for the record of point j to be brought to the cache, for a fine_gain() soon.
  void prefetch(std::int64_t j) const;
  /// By how much the fine right side of (*) is below the coarse one, for query i and point j.
  real fine_gain(const Queries& queries, std::int64_t i, std::int64_t j) const;

 private:
  // What is kept of a point beyond its coarse coordinates: two cache lines.
  struct alignas(128) Record {
    static constexpr std::int64_t most_codes = 116;
    std::uint8_t codes[most_codes];
    float fitted;    // the coordinate along the fine fitted direction
    float residual;  // r for all directions
    float missed;    // ||e||
  };

  void find_directions();
  void choose_codes(const engine::Tensor& coordinates);
  void project_points();
  void encode(std::int64_t j, const real* coordinates);
  real residual(double squared_norm, double squared_coordinates) const;
  void set_fitted(std::int64_t j, real coarse_fitted, real fine_fitted);
  std::int64_t offset(std::int64_t j, std::int64_t k) const;  // of coarse coordinate k of point j

  const Target& target_;
  std::int64_t coarse_, fine_, blocks_;
  engine::Tensor basis_;             // [coarse + fine + 2, d], the two fitted directions last; rows are unit or zero
  engine::Tensor points_;            // [blocks, dimension, block_size]
  std::vector<Record> records_;      // [J]
  std::vector<real> origin_, step_;  // of the fine coordinates: code c stands for origin + c step
  std::vector<real> squared_coarse_, squared_principal_;  // [J], ||p||^2 over the coarse and all principal directions
  double point_norm_ = 0, mean_norm_ = 0;                 // the largest ||y_j - mean||, and ||mean||
  std::int64_t fits_ = 0;
};

}  // namespace ot
