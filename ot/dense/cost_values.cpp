#include "ot/dense/cost_values.h"

#include <cmath>
#include <limits>

#include "engine/simd/kernels.h"

namespace ot {

using engine::Tensor;

Rows CostValues::queries(QueryBlock block) const {
  const std::int64_t d = problem_.target.dimension();
  return {problem_.queries.data() + block.begin * d, block.size(), d};
}

Tensor CostValues::points(std::int64_t tile) const {
  const std::int64_t first = problem_.first_row(tile), rows = problem_.rows(tile);
  Tensor points({rows, problem_.target.dimension()});
  problem_.target.rows(first, first + rows, points.data());
  return points;
}

void CostValues::fill(QueryBlock block, std::int64_t tile, real* values) const {
  const Tensor y = points(tile);
  problem_.target.ground_cost()->values(queries(block), {y.data(), y.dim(0), y.dim(1)}, values);
}

void CostValues::add_gradients(QueryBlock block, std::int64_t tile, std::span<const double> weights, real* terms,
                               real* sums) const {
  const std::int64_t rows = problem_.rows(tile);
  real* term = terms;
  for (const double weight : weights) {
    engine::simd::kernels().scale(rows, static_cast<real>(weight), term, term);
    term += rows;
  }
  const Tensor y = points(tile);
  problem_.target.ground_cost()->add_gradients(queries(block), {y.data(), y.dim(0), y.dim(1)}, terms, sums);
}

double CostValues::rounding(std::int64_t, double u, double size) const {
  // c = u + psi is known to 2^10 units of the last place.
  constexpr double relative = 1024 * std::numeric_limits<real>::epsilon();
  return relative * (std::abs(u) + size);
}

double CostValues::size(std::int64_t j) const {
  return 2 * std::abs(static_cast<double>(problem_.psi.data()[j]));
}

}  // namespace ot
