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

/// A c-transform to all points, cut into tiles of points. With x' = x - mean and y' = y - mean, both lambdas need the
/// minimum or the softmin over y of
///
///     u(x, y) = offset(y) + slope x'.y',  offset(y) = scale ||y'||^2 - psi(y) - lambda log(J nu(y)),  slope = -2
///     scale,
///
/// to which scale ||x'||^2 is then added. Products x'.y' are made for a block of queries and a tile of points at a
/// time, so that tiles can be spread over the threads.
///
/// Points that are multiplied in digits best stand beside those that they are like (PointIndex::order()): in 16
/// neighbours of MNIST 279 pixels are not 0, in 16 digits in the order of the data 409. In their own order a minimum's
/// first place is the lowest index.
struct TiledProblem {
  static constexpr std::int64_t tile_rows = 512;

  /// For x [B, d] and psi [J]; `places` tells which point stands at each place, their own order if it is empty. The
  /// target and the order must outlive it.
  TiledProblem(const Target& target, const engine::Tensor& x, const engine::Tensor& psi, double lambda,
               std::span<const std::int64_t> places = {});
  TiledProblem(const TiledProblem&) = delete;

  std::int64_t batch() const { return queries.dim(0); }
  std::int64_t tiles() const { return (target.size() + tile_rows - 1) / tile_rows; }
  std::int64_t first_row(std::int64_t tile) const { return tile * tile_rows; }
  std::int64_t rows(std::int64_t tile) const { return std::min(tile_rows, target.size() - first_row(tile)); }

  /// The y' of a tile, [rows, d].
  void centred_points(std::int64_t tile, real* out) const;
  /// The least u of each query over a tile, from these products, with its place.
  void tile_minima(QueryBlock block, std::int64_t tile, const real* products, engine::simd::Minimum* minima) const;

  const Target& target;
  engine::Tensor queries;               ///< x', [B, d]
  std::vector<double> squared_norms;    ///< ||x'||^2, [B]
  std::span<const std::int64_t> order;  ///< which point stands at each place, [J]
  engine::Tensor offsets;               ///< of the places, [J]; +inf outside the support, NaN where psi is
  real slope;

 private:
  template <class Body>
  void for_each_point(std::int64_t tile, const Body& body) const;

  std::vector<std::int64_t> own_order_;  // where points stand in it
};

/// The products x'.y' of a TiledProblem.
class TileProducts {
 public:
  virtual ~TileProducts() = default;
  /// Those of a block and a tile, [block, rows]. Tiles may be made by several threads at a time.
  virtual void multiply(QueryBlock block, std::int64_t tile, real* products) const = 0;
};

/// In real, by a single-threaded BLAS call.
class RealProducts : public TileProducts {
 public:
  /// The problem must outlive it.
  explicit RealProducts(const TiledProblem& problem) : problem_(problem) {}
  void multiply(QueryBlock block, std::int64_t tile, real* products) const override;

 private:
  const TiledProblem& problem_;
};

}  // namespace ot
