#pragma once

#include <cstdint>
#include <span>

#include "ot/dense/tiled_problem.h"

namespace ot {

/// The values k(x, y) of a TiledProblem for a ground cost, whose points stand in their own order.
class CostValues : public TileValues {
 public:
  /// The problem must outlive it.
  explicit CostValues(const TiledProblem& problem) : problem_(problem) {}
  void fill(QueryBlock block, std::int64_t tile, real* values) const override;
  void add_gradients(QueryBlock block, std::int64_t tile, std::span<const double> weights, real* terms,
                     real* sums) const override;
  double rounding(std::int64_t i, double u, double size) const override;
  double size(std::int64_t j) const override;

 private:
  Rows queries(QueryBlock block) const;
  engine::Tensor points(std::int64_t tile) const;

  const TiledProblem& problem_;
};

}  // namespace ot
