#include "ot/dense/tiled_problem.h"

#include <limits>
#include <numeric>

#include "engine/parallel.h"

namespace ot {

using engine::Tensor;

TiledProblem::TiledProblem(const Target& to, const Tensor& from, const Tensor& dual, double lambda,
                           std::span<const std::int64_t> places)
    : target(to),
      x(from),
      psi(dual),
      queries(to.ground_cost() ? from : to.centred(from)),
      squared_norms(static_cast<std::size_t>(from.dim(0))),
      order(places),
      offsets({to.size()}),
      slope(static_cast<real>(to.ground_cost() ? to.scale() : -2 * to.scale())) {
  const bool quadratic = !target.ground_cost();
  const std::int64_t dimension = quadratic ? x.dim(1) : 0;
  for (std::int64_t i = 0; i < batch(); ++i) {
    const real* row = queries.data() + i * dimension;
    for (std::int64_t c = 0; c < dimension; ++c)
      squared_norms[static_cast<std::size_t>(i)] += static_cast<double>(row[c]) * row[c];
  }
  if (order.empty()) {
    own_order_.resize(static_cast<std::size_t>(target.size()));
    std::iota(own_order_.begin(), own_order_.end(), 0);
    order = own_order_;
  }
  constexpr std::int64_t grain = 4096;
  engine::parallel_for(target.size(), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t place = begin; place < end; ++place) {
      const auto j = static_cast<std::size_t>(order[static_cast<std::size_t>(place)]);
      const double own = quadratic ? target.scale() * target.centred_squared_norms()[j] : 0;
      offsets.data()[place] = target.weights()[j] == 0
                                  ? std::numeric_limits<real>::infinity()
                                  : static_cast<real>(own - psi.data()[j] - lambda * target.log_weights()[j]);
    }
  });
}

void TiledProblem::tile_minima(QueryBlock block, std::int64_t tile, const real* values,
                               engine::simd::Minimum* minima) const {
  const std::int64_t count = rows(tile);
  for (std::int64_t i = 0; i < block.size(); ++i) {
    minima[i] = engine::simd::kernels().min_affine(count, offsets_of(tile), slope, values + i * count);
    if (minima[i].index >= 0) minima[i].index += first_row(tile);
  }
}

void TiledProblem::own_gradient(std::int64_t i, real* out) const {
  const std::int64_t dimension = target.dimension();
  if (target.ground_cost())
    std::fill_n(out, dimension, real{0});
  else
    engine::simd::kernels().scale(dimension, -1, queries.data() + i * dimension, out);
}

// Points lie anywhere in memory: each is asked for before it is read.
void TiledProblem::centred_points(std::int64_t tile, real* out) const {
  constexpr std::size_t ahead = 8;
  const auto begin = static_cast<std::size_t>(first_row(tile)), end = begin + static_cast<std::size_t>(rows(tile));
  for (std::size_t place = begin; place < end; ++place, out += target.dimension()) {
    if (place + ahead < order.size()) target.prefetch(order[place + ahead]);
    target.centred_rows(order[place], order[place] + 1, out);
  }
}

}  // namespace ot
