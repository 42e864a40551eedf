#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/simd/kernels.h"
#include "engine/tensor.h"
#include "ot/target.h"

namespace ot {

/// Queries begin..end-1, which are worked on together.
struct QueryBlock {
  std::int64_t begin, end;
  std::int64_t size() const { return end - begin; }
};

/// A c-transform to all points, cut into tiles of points. Both lambdas need the minimum or the softmin over y of
///
///     u(x, y) = offset(y) + slope (v(x, y) + w(x)),
///
/// where for ||x - y||^2, with x' = x - mean and y' = y - mean,
///
///     v = x'.y',  w = -||x'||^2 / 2,  slope = -2 scale,  offset = scale ||y'||^2 - psi(y) - lambda log(J nu(y)),
///
/// and for another cost v = k(x, y), w = 0, slope = scale, offset = -psi(y) - lambda log(J nu(y)). TileValues are made
/// for a block of queries and a tile of points at a time, so that tiles can be spread over the threads.
///
/// Points that are multiplied in digits best stand beside those that they are like (PointIndex::order()): in 16
/// neighbours of MNIST 279 pixels are not 0, in 16 digits in the order of the data 409. In their own order a minimum's
/// first place is the lowest index.
struct TiledProblem {
  static constexpr std::int64_t tile_rows = 512;

  /// For x [B, d] and psi [J]; `places` tells which point stands at each place, their own order if it is empty. All
  /// must outlive it.
  TiledProblem(const Target& target, const engine::Tensor& x, const engine::Tensor& psi, double lambda,
               std::span<const std::int64_t> places = {});
  TiledProblem(const TiledProblem&) = delete;

  std::int64_t batch() const { return x.dim(0); }
  std::int64_t tiles() const { return (target.size() + tile_rows - 1) / tile_rows; }
  std::int64_t first_row(std::int64_t tile) const { return tile * tile_rows; }
  std::int64_t rows(std::int64_t tile) const { return std::min(tile_rows, target.size() - first_row(tile)); }
  /// The offsets of a tile's points.
  const real* offsets_of(std::int64_t tile) const { return offsets.data() + first_row(tile); }

  /// The y' of a tile, [rows, d].
  void centred_points(std::int64_t tile, real* out) const;
  /// The least u - slope w of each query over a tile, from these values v, with its place.
  void tile_minima(QueryBlock block, std::int64_t tile, const real* values, engine::simd::Minimum* minima) const;
  /// u - offset - slope v of query i, and its gradient over slope, [d].
  double own_part(std::int64_t i) const { return target.scale() * squared_norms[static_cast<std::size_t>(i)]; }
  void own_gradient(std::int64_t i, real* out) const;

  const Target& target;
  const engine::Tensor &x, &psi;
  engine::Tensor queries;               ///< x', [B, d]; x for another cost
  std::vector<double> squared_norms;    ///< ||x'||^2, [B]; 0 for another cost
  std::span<const std::int64_t> order;  ///< which point stands at each place, [J]
  engine::Tensor offsets;               ///< of the places, [J]; +inf outside the support, NaN where psi is
  real slope;

 private:
  std::vector<std::int64_t> own_order_;  // where points stand in it
};

/// The values v(x, y) of a TiledProblem. Tiles may be asked for by several threads at a time.
class TileValues {
 public:
  virtual ~TileValues() = default;
  /// Those of a block and a tile, [block, rows].
  virtual void fill(QueryBlock block, std::int64_t tile, real* values) const = 0;
  /// sums [block, d] += sum_j p_ij grad_x v(x_i, y_j) over a tile, for the responsibilities p_ij = weights[i] terms[i,
  /// j]. Overwrites the terms [block, rows].
  virtual void add_gradients(QueryBlock block, std::int64_t tile, std::span<const double> weights, real* terms,
                             real* sums) const = 0;
  /// How far a computed u - slope w of query i, near this one, may be off at lambda = 0 for points of at most this
  /// size().
  virtual double rounding(std::int64_t i, double u, double size) const = 0;
  /// What that grows with of point j.
  virtual double size(std::int64_t j) const = 0;
};

}  // namespace ot
