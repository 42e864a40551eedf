#include "ot/dense/dense_c_transform.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "engine/parallel.h"
#include "ot/dense/cost_values.h"
#include "ot/dense/products.h"
#include "ot/dense/soft_c_transform.h"
#include "ot/dense/winners.h"

namespace ot {

using engine::parallel_for;
using engine::Tensor;
using engine::simd::kernels;
using engine::simd::Minimum;

namespace {

/// Calls use(values of the cost to the target for this problem).
template <class Use>
auto with_values(const TiledProblem& problem, const Use& use) {
  if (problem.target.ground_cost()) return use(CostValues(problem));
  return use(RealProducts(problem));
}

/// A problem with what it refers to, and its values.
struct HeldProblem {
  HeldProblem(const Target& target, const Tensor& from, const Tensor& dual, double lambda)
      : x(from), psi(dual), problem(target, x, psi, lambda) {
    with_values(problem, [&]<class Values>(const Values& of) { values = std::make_unique<const Values>(of); });
  }

  Tensor x, psi;
  TiledProblem problem;
  std::unique_ptr<const TileValues> values;
};

/// c(x_i, y_j) - psi_j
double exact(const TiledProblem& problem, std::int64_t i, std::int64_t j) {
  return problem.target.cost(problem.x.data() + i * problem.target.dimension(), j) - problem.psi.data()[j];
}

/// The largest size() of points that weigh something.
double largest_size(const TiledProblem& problem, const TileValues& values) {
  double largest = 0;
  for (std::int64_t j = 0; j < problem.target.size(); ++j)
    if (problem.target.weights()[static_cast<std::size_t>(j)] > 0) largest = std::max(largest, values.size(j));
  return largest;
}

/// Of a tile's points within rounding of the least by these values the one that is the least in double.
void settle_tile(const TiledProblem& problem, const TileValues& values, double size, QueryBlock block,
                 std::int64_t tile, const real* of_tile, Minimum* minima) {
  std::int32_t found[TiledProblem::tile_rows];
  const std::int64_t rows = problem.rows(tile), first = problem.first_row(tile);
  for (std::int64_t i = 0; i < block.size(); ++i) {
    Minimum& least = minima[i];
    if (least.index < 0) continue;
    const std::int64_t query = block.begin + i;
    const auto limit = static_cast<real>(least.value + 2 * values.rounding(query, least.value, size));
    const std::int64_t count =
        kernels().find_affine(rows, problem.offsets_of(tile), problem.slope, of_tile + i * rows, limit, found);
    double lowest = std::numeric_limits<double>::infinity();
    for (std::int64_t f = 0; f < count && count > 1; ++f)
      if (const double value = exact(problem, query, first + found[f]); value < lowest)
        lowest = value, least.index = first + found[f];
  }
}

}  // namespace

std::vector<std::int64_t> least_points(const TiledProblem& problem, const TileValues& values) {
  constexpr std::int64_t most_queries = 256;
  std::vector<std::int64_t> winners(static_cast<std::size_t>(problem.batch()), -1);
  if (std::ranges::any_of(problem.offsets.values(), [](real o) { return std::isnan(o); })) return winners;
  const double size = largest_size(problem, values);
  std::vector<Minimum> minima(static_cast<std::size_t>(problem.tiles() * std::min(most_queries, problem.batch())));
  for (std::int64_t begin = 0; begin < problem.batch(); begin += most_queries) {
    const QueryBlock block{begin, std::min(problem.batch(), begin + most_queries)};
    parallel_for(problem.tiles(), 1, [&](std::int64_t tile, std::int64_t) {
      Tensor of_tile({block.size(), problem.rows(tile)});
      values.fill(block, tile, of_tile.data());
      Minimum* const minima_of_tile = minima.data() + tile * block.size();
      problem.tile_minima(block, tile, of_tile.data(), minima_of_tile);
      settle_tile(problem, values, size, block, tile, of_tile.data(), minima_of_tile);
    });
    parallel_for(block.size(), 16, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i)
        winners[static_cast<std::size_t>(begin + i)] = settle(
            minima.data() + i, block.size(), problem.tiles(),
            [&](const Minimum& minimum) { return values.rounding(begin + i, minimum.value, size); },
            [&](std::int64_t j) { return exact(problem, begin + i, j); });
    });
  }
  return winners;
}

std::vector<std::int64_t> dense_winners(const Target& target, const Tensor& x, const Tensor& psi) {
  const TiledProblem problem(target, x, psi, 0);
  return with_values(problem, [&](const TileValues& values) { return least_points(problem, values); });
}

std::unique_ptr<SoftTransform> dense_soft_transform(const Target& target, const Tensor& x, const Tensor& psi,
                                                    double lambda) {
  const auto held = std::make_shared<const HeldProblem>(target, x, psi, lambda);
  return soft_transform({held, &held->problem}, {held, held->values.get()}, lambda);
}

CTransform dense_c_transform(const Target& target, const Tensor& x, const Tensor& psi, double lambda, Wanted wanted) {
  if (lambda == 0) return transform_at(target, x, psi, dense_winners(target, x, psi), wanted);
  const TiledProblem problem(target, x, psi, lambda);
  return with_values(problem,
                     [&](const TileValues& values) { return soft_c_transform(problem, values, lambda, wanted); });
}

}  // namespace ot
