#include "ot/point_draws.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/simd/kernels.h"
#include "ot/bytes/digit_products.h"
#include "ot/c_transform.h"
#include "ot/dense/cost_values.h"
#include "ot/dense/products.h"
#include "ot/dense/tiled_problem.h"

namespace ot {

using engine::parallel_for;
using engine::Tensor;
using engine::simd::kernels;

namespace {

constexpr std::int64_t most_queries = 64;

/// Of the terms of a query and a tile, e^{(least - u) / lambda}.
struct Part {
  real least;
  double sum;
};

/// The point that the uniform number of a query falls on, -1 where no term is a number above 0. Where rounding leaves
/// a little beyond the last term, that is taken.
template <class Terms>
std::int64_t point_of(const TiledProblem& problem, std::span<const Part> parts, double lambda, double uniform,
                      const Terms& terms_of) {
  double least = std::numeric_limits<double>::infinity(), all = 0;
  for (const Part& part : parts) least = std::min<double>(least, part.least);
  const auto share = [&](const Part& part) { return std::exp((least - part.least) / lambda); };
  for (const Part& part : parts) all += share(part) * part.sum;
  if (!(std::isfinite(least) && all > 0)) return -1;
  double left = uniform * all;
  std::int64_t tile = -1;
  for (std::size_t t = 0; t < parts.size(); ++t) {
    const double mass = share(parts[t]) * parts[t].sum;
    if (!(mass > 0)) continue;
    tile = static_cast<std::int64_t>(t);
    if (left < mass) break;
    left -= mass;
  }
  const double weight = share(parts[static_cast<std::size_t>(tile)]);
  const std::span<const real> terms = terms_of(tile);
  std::size_t last = 0;
  for (std::size_t place = 0; place < terms.size(); ++place) {
    if (!(terms[place] > 0)) continue;
    last = place;
    if ((left -= weight * terms[place]) < 0) break;
  }
  return problem.order[static_cast<std::size_t>(problem.first_row(tile)) + last];
}

}  // namespace

std::vector<std::int64_t> draw_points(const Target& target, const Tensor& x, const Tensor& psi, double lambda,
                                      std::span<const double> uniforms, ByteBlocks* blocks) {
  require_transformable(target, x, psi, lambda);
  engine::require(lambda > 0, "[draw points] lambda must be positive: ", lambda);
  engine::require(std::ssize(uniforms) == x.dim(0),
                  "[draw points] there must be a uniform number for each row: ", uniforms.size(), " for ", x.shape());
  const TiledProblem problem(target, x, psi, lambda, blocks ? blocks->order() : std::span<const std::int64_t>());
  std::optional<ByteProducts> products;
  std::unique_ptr<const TileValues> made;
  if (target.ground_cost()) {
    made = std::make_unique<CostValues>(problem);
  } else if (blocks) {
    products.emplace(target, problem.queries);
    made = std::make_unique<DigitProducts>(problem, *products, *blocks, products->digits_of_terms(lambda));
  } else {
    made = std::make_unique<RealProducts>(problem);
  }
  const TileValues& values = *made;
  const auto rate = static_cast<real>(1 / lambda);
  std::vector<std::int64_t> drawn(uniforms.size());
  for (std::int64_t begin = 0; begin < problem.batch(); begin += most_queries) {
    const QueryBlock block{begin, std::min(problem.batch(), begin + most_queries)};
    Tensor terms({block.size(), target.size()});  // of a tile together, [block, rows], one after the other
    const auto of = [&](std::int64_t tile, std::int64_t i) {
      return terms.data() + problem.first_row(tile) * block.size() + i * problem.rows(tile);
    };
    std::vector<Part> parts(static_cast<std::size_t>(problem.tiles() * block.size()));  // [block, tiles]
    parallel_for(problem.tiles(), 1, [&](std::int64_t tile, std::int64_t) {
      const std::int64_t rows = problem.rows(tile);
      const real* offset = problem.offsets_of(tile);
      values.fill(block, tile, of(tile, 0));
      for (std::int64_t i = 0; i < block.size(); ++i) {
        real* const term = of(tile, i);
        const real least = kernels().min_affine(rows, offset, problem.slope, term).value;
        const real shift = std::isfinite(least) ? least : 0;
        const double sum = kernels().exp_affine(rows, offset, problem.slope, term, shift, rate, term);
        parts[static_cast<std::size_t>(i * problem.tiles() + tile)] = {least, sum};
      }
    });
    parallel_for(block.size(), 1, [&](std::int64_t i, std::int64_t) {
      const std::span<const Part> mine(parts.data() + i * problem.tiles(), static_cast<std::size_t>(problem.tiles()));
      const auto terms_of = [&](std::int64_t tile) {
        return std::span<const real>(of(tile, i), static_cast<std::size_t>(problem.rows(tile)));
      };
      const auto index = static_cast<std::size_t>(begin + i);
      drawn[index] = point_of(problem, mine, lambda, uniforms[index], terms_of);
    });
  }
  return drawn;
}

}  // namespace ot
