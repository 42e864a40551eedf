#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/tensor.h"
#include "ot/byte_products.h"
#include "ot/target.h"

namespace ot {

/// A few coordinates of every point that bound all distances from below.
///
/// Let y' = y - mean, D the orthonormal rows of some directions, p(y) = D y', and r(y) = ||y' - D^T p(y)|| what they
/// leave out. For any x, x'.y' = p(x).p(y) + (x' - D^T p(x)).(y' - D^T p(y)), so by Cauchy-Schwarz
///
///     x'.y' <= p(x).p(y) + r(x) r(y)                                                                           (*)
///
/// One more coordinate in a product of short vectors, (p, r), therefore bounds ||x - y||^2 = ||x'||^2 + ||y'||^2 -
/// 2 x'.y' from below, and the better the more of x or y the directions hold. There are two such bounds. The coarse one
/// takes C, the leading principal directions of the points, and Q, fitted to the queries: the leading directions of
/// what C leaves of a batch. Its coordinates stand in blocks that a kernel multiplies fast. The fine one adds P, the
/// principal directions that follow, in 8 bits, as a record of two cache lines a point, for the few points that pass
/// the first. Q is orthogonal to C but not to P: with Q - M P = R Q', where Q' is orthonormal and orthogonal to P, the
/// product of the projections is
///
///     (C x').(C y') + a.(Q y') + (P x' - M^T a).(P y'),   a = R^-T Q' x',
///
/// so that only the query's side depends on how Q and P stand to each other. r(y) is then taken without Q, which can
/// only be larger.
///
/// Rounding, with u the unit roundoff and k directions. A computed product of length d errs by at most d u times both
/// lengths (to first order), so the computed coordinates p^ of a point err by a vector of length at most sqrt(k) d u
/// ||y'||. (*) with p^ in place of p then fails by at most 2 sqrt(k) d u ||x'|| ||y'||, where ||x'|| stands for the
/// length of the query's coordinates if that is larger; the directions depart from orthonormal by less than sqrt(k) d
/// u, and the short product itself adds engine::simd::group_rounding(): the margin is above the sum. r is rounded up by
/// the error of its square, (2 sqrt(k) + 2) d u ||y'||^2. What the 8-bit codes miss of the coordinates is a vector e(y)
/// of known length, to which Cauchy-Schwarz applies as to the rest.
///
/// Points stand in an order of their own (tree_order), in which those of a block are neighbours: what a query needs of
/// them then lies in few blocks.
class Sketch {
 public:
  /// How many directions may be fitted to a batch.
  static constexpr std::int64_t few_fitted = 8, most_fitted = 27;
  /// The most of them that bounds over groups take hardly longer for: on a level that packs points it has room for all,
  /// where all blocks are kept packed.
  static std::int64_t affordable_fitted(const Target& target);

  /// Principal directions by subspace iteration on a sample, then the order and the coordinates of all points. Up to
  /// `fitted` directions are fitted, as the dimension allows.
  explicit Sketch(const Target& target, std::int64_t fitted = few_fitted);
  Sketch(const Sketch&) = delete;  // byte_blocks() refer to order()

  /// The point at each place, [J].
  const std::vector<std::int64_t>& order() const { return order_; }
  /// The points in that order, to be multiplied in digits; null where they aren't of 8 bits.
  ByteBlocks* byte_blocks() { return byte_blocks_ ? &*byte_blocks_ : nullptr; }
  /// ||y'||^2 of the point at each place, [J].
  const std::vector<real>& squared_norms() const { return squared_norms_; }
  /// The points at the places of block b.
  std::span<const std::int64_t> points_of(std::int64_t b) const;

  /// How many coarse coordinates there are: principal ones, fitted ones, and r.
  std::int64_t dimension() const { return coarse_ + fitted_ + 1; }
  /// Blocks of engine::simd::block_size points; the last is filled up with points that no query sees (offsets +inf).
  std::int64_t blocks() const { return blocks_; }
  /// Coarse coordinates of block b, [dimension, block_size].
  const real* block(std::int64_t b) const;
  /// The same as engine::simd::Kernels::group_minima reads them, packed in `spare` if no block is kept so.
  const real* packed_block(std::int64_t b, engine::Tensor& spare) const;

  /// The least and the largest of each coarse coordinate in every block, [blocks, dimension, 2].
  const engine::Tensor& boxes() const { return boxes_; }
  /// The squared length of the coarse coordinates of the point at each place, [J].
  const std::vector<real>& squared_lengths() const { return squared_lengths_; }

  /// Fits Q to the batch x [B, d]: one pass over all points.
  void fit(const engine::Tensor& x);
  /// Q, [fitted, d], and the way back to such a one in another sketch of the target, to the same bits.
  engine::Tensor fitted_directions() const;
  void restore(const engine::Tensor& fitted_directions);
  /// Whether Q has been fitted.
  bool fitted() const { return is_fitted_; }

  /// The coordinates of each row of x [B, d].
  struct Queries {
    engine::Tensor centred;            ///< x' [B, d]
    engine::Tensor coarse;             ///< [B, dimension]: C x', Q x', r
    std::vector<double> squared_norm;  ///< ||x'||^2
    std::vector<real> margin;          ///< how far a computed right side of (*), coarse or fine, may be too low

    // For fine bounds alone:
    engine::Tensor both;              ///< [B, 2, dimension]: the coarse ones again, and C x', a, 0 of the fine ones
    engine::Tensor fine;              ///< [B, rows of P], P x' - M^T a, each times the step of its code
    std::vector<real> fine_origin;    ///< the product with the coordinates that code 0 stands for
    std::vector<real> fine_norm;      ///< ||P x' - M^T a||
    std::vector<real> fine_residual;  ///< r, for all directions
  };
  enum class Bounds { coarse, both };  ///< those that queries are to have
  Queries queries(const engine::Tensor& x, Bounds bounds = Bounds::both) const;

  /// Asks for the coarse coordinates of a group of engine::simd::group_size points to be brought to the cache.
  void prefetch_group(std::int64_t group) const;
  /// Asks for the record of a place to be brought to the cache, for a fine_part() soon.
  void prefetch(std::int64_t place) const;
  /// The fine right side of (*) for query i and the point at a place, less the product of C x', a with its coarse
  /// coordinates, which is best taken while its block is in the cache.
  real fine_part(const Queries& queries, std::int64_t i, std::int64_t place) const;

 private:
  // What is kept of a point beyond its coarse coordinates: two cache lines.
  struct alignas(128) Record {
    static constexpr std::int64_t most_codes = 120;
    std::uint8_t codes[most_codes];
    float residual;  // r for C and P
    float missed;    // ||e||
  };

  std::int64_t principal() const { return coarse_ + fine_; }
  real* direction(std::int64_t row) { return basis_.data() + row * target_.dimension(); }
  void find_principal_directions();
  void choose_codes(const engine::Tensor& coordinates);
  void find_order();
  void project_points();
  void encode(std::int64_t place, const real* coordinates);
  void find_fitted_directions(const engine::Tensor& x);
  void relate_fitted_directions();
  void use_fitted_directions();
  void enclose(std::int64_t b, std::int64_t first);
  void gather(std::span<const std::int64_t> points, real* rows) const;  // minus the mean
  double describe(const real* coordinates, std::int64_t i, Queries& queries) const;
  double describe_finely(const real* coordinates, std::int64_t i, Queries& queries) const;
  real residual(double squared_norm, double squared_coordinates) const;
  std::int64_t offset(std::int64_t place, std::int64_t k) const;  // of coarse coordinate k of a place

  const Target& target_;
  std::int64_t coarse_, fitted_, fine_, blocks_;
  engine::Tensor basis_;                   // [coarse + fine + 2 fitted, d]: C, P, Q and Q'; rows are unit or zero
  engine::Tensor mixing_;                  // [fitted, fine], M
  engine::Tensor factor_;                  // [fitted, fitted], R, lower triangular; a row is zero where it is in Q'
  std::vector<std::int64_t> order_;        // [J]; what follows of each point stands in this order
  std::optional<ByteBlocks> byte_blocks_;  // laid out once a fit or a search asks for them
  engine::Tensor points_;                  // [blocks, dimension, block_size]
  engine::Tensor packed_;                  // [blocks, ...], each as packed_block(); empty if they aren't kept
  engine::Tensor boxes_;                   // [blocks, dimension, 2]
  std::vector<Record> records_;            // [J]
  std::vector<real> origin_, step_;        // of the fine coordinates: code c stands for origin + c step
  std::vector<real> squared_norms_;        // [J]
  std::vector<real> squared_coarse_;       // [J], ||C y'||^2
  std::vector<real> squared_lengths_;      // [J], of (p, r)
  double point_norm_ = 0, mean_norm_ = 0;  // the largest ||y_j - mean||, and ||mean||
  bool is_fitted_ = false;
};

}  // namespace ot
