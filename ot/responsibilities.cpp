#include "ot/responsibilities.h"

#include <algorithm>

#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/simd/kernels.h"
#include "ot/c_transform.h"
#include "ot/dense/cost_values.h"
#include "ot/dense/products.h"
#include "ot/dense/tiled_problem.h"

namespace ot {

using engine::parallel_for;
using engine::Tensor;
using engine::simd::kernels;

Tensor responsibilities(const Target& target, const Tensor& x, const Tensor& psi, double lambda) {
  require_transformable(target, x, psi, lambda);
  engine::require(lambda > 0, "[responsibilities] lambda must be positive: ", lambda);
  constexpr std::int64_t most_queries = 64;
  const TiledProblem problem(target, x, psi, lambda);
  const RealProducts products(problem);
  const CostValues costs(problem);
  const TileValues& values = target.ground_cost() ? static_cast<const TileValues&>(costs) : products;
  Tensor result({problem.batch(), target.size()});
  const auto row = [&](std::int64_t i) { return result.data() + i * target.size(); };
  for (std::int64_t begin = 0; begin < problem.batch(); begin += most_queries) {
    const QueryBlock block{begin, std::min(problem.batch(), begin + most_queries)};
    parallel_for(problem.tiles(), 1, [&](std::int64_t tile, std::int64_t) {
      const std::int64_t rows = problem.rows(tile);
      Tensor tile_values({block.size(), rows});
      values.fill(block, tile, tile_values.data());
      for (std::int64_t i = 0; i < block.size(); ++i)
        std::copy_n(tile_values.data() + i * rows, rows, row(begin + i) + problem.first_row(tile));
    });
    parallel_for(block.size(), 1, [&](std::int64_t i, std::int64_t) {
      real* const terms = row(begin + i);
      const real* const offsets = problem.offsets.data();
      const real least = kernels().min_affine(target.size(), offsets, problem.slope, terms).value;
      const double sum = kernels().exp_affine(target.size(), offsets, problem.slope, terms, least,
                                              static_cast<real>(1 / lambda), terms);
      const auto share = static_cast<real>(1 / sum);
      std::for_each_n(terms, target.size(), [&](real& term) { term *= share; });
    });
  }
  return result;
}

}  // namespace ot
