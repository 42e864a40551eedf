#include "ot/dense/dense_c_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/parallel.h"
#include "ot/dense/soft_c_transform.h"
#include "ot/dense/winners.h"

namespace ot {

using engine::parallel_for;
using engine::Tensor;
using engine::simd::Minimum;

namespace {
std::int64_t winner_of(const TiledProblem& problem, const Tensor& x, const Tensor& psi, std::int64_t i,
                       const Minimum* minima, std::int64_t stride) {
  Minimum least{std::numeric_limits<real>::infinity(), -1};
  for (std::int64_t tile = 0; tile < problem.tiles(); ++tile)
    if (minima[tile * stride].value < least.value) least = minima[tile * stride];
  if (least.index < 0) return -1;

  const Target& target = problem.target;
  const double size = target.scale() * (problem.squared_norms[static_cast<std::size_t>(i)] +
                                        target.centred_squared_norms()[static_cast<std::size_t>(least.index)]) +
                      std::abs(psi.data()[least.index]);
  // Each minimum is known to half of what two of them may differ by.
  const double rounding = 8 * std::numeric_limits<real>::epsilon() * size;
  return settle(
      minima, stride, problem.tiles(), [&](const Minimum&) { return rounding; },
      [&](std::int64_t j) {
        return target.scale() * target.squared_distance(x.data() + i * target.dimension(), j) - psi.data()[j];
      });
}
}  // namespace

std::vector<std::int64_t> least_points(const TiledProblem& problem, const TileProducts& products, const Tensor& x,
                                       const Tensor& psi) {
  constexpr std::int64_t most_queries = 256;
  std::vector<std::int64_t> winners(static_cast<std::size_t>(problem.batch()), -1);
  const auto offsets = problem.offsets.values();
  if (std::ranges::any_of(offsets, [](real o) { return std::isnan(o); })) return winners;
  std::vector<Minimum> minima(static_cast<std::size_t>(problem.tiles() * std::min(most_queries, problem.batch())));
  for (std::int64_t begin = 0; begin < problem.batch(); begin += most_queries) {
    const QueryBlock block{begin, std::min(problem.batch(), begin + most_queries)};
    parallel_for(problem.tiles(), 1, [&](std::int64_t tile, std::int64_t) {
      Tensor values({block.size(), problem.rows(tile)});
      products.multiply(block, tile, values.data());
      problem.tile_minima(block, tile, values.data(), minima.data() + tile * block.size());
    });
    parallel_for(block.size(), 16, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i)
        winners[static_cast<std::size_t>(begin + i)] =
            winner_of(problem, x, psi, begin + i, minima.data() + i, block.size());
    });
  }
  return winners;
}

CTransform dense_c_transform(const Target& target, const Tensor& x, const Tensor& psi, double lambda, Wanted wanted) {
  const TiledProblem problem(target, x, psi, lambda);
  const RealProducts products(problem);
  if (lambda > 0) return soft_c_transform(problem, products, lambda, wanted);
  return transform_at(target, x, psi, least_points(problem, products, x, psi), wanted);
}

}  // namespace ot
