#pragma once

#include <cstdint>
#include <span>

#include "ot/dense/tiled_problem.h"

namespace ot {

/// The products x'.y' of a TiledProblem for ||x - y||^2, whatever they are made of.
class Products : public TileValues {
 public:
  /// The problem must outlive it.
  explicit Products(const TiledProblem& problem) : problem_(problem) {}

  /// But for p_ij that have less than 2^(4 - m) of the mass, for the m digits of real.
  void add_gradients(QueryBlock block, std::int64_t tile, std::span<const double> weights, real* terms,
                     real* sums) const override;
  double rounding(std::int64_t i, double u, double size) const override;
  double size(std::int64_t j) const override;

 protected:
  const TiledProblem& problem_;

 private:
  void add_bytes(std::int64_t tile, std::span<const double> weights, const real* terms, real* sums) const;
  bool add_few_points(std::int64_t tile, std::span<const double> weights, const real* terms, real* sums) const;
  void add_all_points(std::int64_t tile, std::span<const double> weights, real* terms, real* sums) const;
  double least_share() const;
};

/// In real, by a single-threaded BLAS call for a tile.
class RealProducts : public Products {
 public:
  using Products::Products;
  void fill(QueryBlock block, std::int64_t tile, real* products) const override;
};

}  // namespace ot
