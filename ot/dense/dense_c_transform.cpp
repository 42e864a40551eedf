#include "ot/dense/dense_c_transform.h"

#include <algorithm>
#include <cmath>

#include "engine/parallel.h"
#include "ot/dense/cost_values.h"
#include "ot/dense/products.h"
#include "ot/dense/soft_c_transform.h"
#include "ot/dense/winners.h"

namespace ot {

using engine::parallel_for;
using engine::Tensor;
using engine::simd::Minimum;

std::vector<std::int64_t> least_points(const TiledProblem& problem, const TileValues& values) {
  constexpr std::int64_t most_queries = 256;
  const Target& target = problem.target;
  std::vector<std::int64_t> winners(static_cast<std::size_t>(problem.batch()), -1);
  if (std::ranges::any_of(problem.offsets.values(), [](real o) { return std::isnan(o); })) return winners;
  std::vector<Minimum> minima(static_cast<std::size_t>(problem.tiles() * std::min(most_queries, problem.batch())));
  for (std::int64_t begin = 0; begin < problem.batch(); begin += most_queries) {
    const QueryBlock block{begin, std::min(problem.batch(), begin + most_queries)};
    parallel_for(problem.tiles(), 1, [&](std::int64_t tile, std::int64_t) {
      Tensor of_tile({block.size(), problem.rows(tile)});
      values.fill(block, tile, of_tile.data());
      problem.tile_minima(block, tile, of_tile.data(), minima.data() + tile * block.size());
    });
    parallel_for(block.size(), 16, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        const real* x = problem.x.data() + (begin + i) * target.dimension();
        winners[static_cast<std::size_t>(begin + i)] = settle(
            minima.data() + i, block.size(), problem.tiles(),
            [&](const Minimum& minimum) { return values.rounding(begin + i, minimum); },
            [&](std::int64_t j) { return target.cost(x, j) - problem.psi.data()[j]; });
      }
    });
  }
  return winners;
}

CTransform dense_c_transform(const Target& target, const Tensor& x, const Tensor& psi, double lambda, Wanted wanted) {
  const TiledProblem problem(target, x, psi, lambda);
  const RealProducts products(problem);
  const CostValues costs(problem);
  const TileValues& values = target.ground_cost() ? static_cast<const TileValues&>(costs) : products;
  if (lambda > 0) return soft_c_transform(problem, values, lambda, wanted);
  return transform_at(target, x, psi, least_points(problem, values), wanted);
}

}  // namespace ot
