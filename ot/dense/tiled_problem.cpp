#include "ot/dense/tiled_problem.h"

#include <limits>
#include <numeric>

#include "engine/blas.h"
#include "engine/parallel.h"

namespace ot {

using engine::Tensor;
using engine::Transpose;

TiledProblem::TiledProblem(const Target& to, const Tensor& x, const Tensor& psi, double lambda,
                           std::span<const std::int64_t> places)
    : target(to),
      queries(to.centred(x)),
      squared_norms(static_cast<std::size_t>(x.dim(0))),
      offsets({to.size()}),
      slope(static_cast<real>(-2 * to.scale())) {
  const std::int64_t dimension = x.dim(1);
  for (std::int64_t i = 0; i < batch(); ++i) {
    const real* row = queries.data() + i * dimension;
    for (std::int64_t c = 0; c < dimension; ++c)
      squared_norms[static_cast<std::size_t>(i)] += static_cast<double>(row[c]) * row[c];
  }
  order = places;
  if (order.empty()) {
    own_order_.resize(static_cast<std::size_t>(target.size()));
    std::iota(own_order_.begin(), own_order_.end(), 0);
    order = own_order_;
  }
  constexpr std::int64_t grain = 4096;
  engine::parallel_for(target.size(), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t place = begin; place < end; ++place) {
      const auto j = static_cast<std::size_t>(order[static_cast<std::size_t>(place)]);
      const double offset = target.scale() * target.centred_squared_norms()[j] - psi.data()[j];
      offsets.data()[place] = target.weights()[j] == 0 ? std::numeric_limits<real>::infinity()
                                                       : static_cast<real>(offset - lambda * target.log_weights()[j]);
    }
  });
}

void TiledProblem::tile_minima(QueryBlock block, std::int64_t tile, const real* products,
                               engine::simd::Minimum* minima) const {
  const std::int64_t first = first_row(tile), count = rows(tile);
  for (std::int64_t i = 0; i < block.size(); ++i) {
    minima[i] = engine::simd::kernels().min_affine(count, offsets.data() + first, slope, products + i * count);
    if (minima[i].index >= 0) minima[i].index += first;
  }
}

// Points lie anywhere in memory: each is asked for before it is read.
template <class Body>
void TiledProblem::for_each_point(std::int64_t tile, const Body& body) const {
  constexpr std::size_t ahead = 8;
  const auto begin = static_cast<std::size_t>(first_row(tile)), end = begin + static_cast<std::size_t>(rows(tile));
  for (std::size_t place = begin; place < end; ++place) {
    if (place + ahead < order.size()) target.prefetch(order[place + ahead]);
    body(order[place]);
  }
}

void TiledProblem::centred_points(std::int64_t tile, real* out) const {
  for_each_point(tile, [&](std::int64_t j) {
    target.centred_rows(j, j + 1, out);
    out += target.dimension();
  });
}

void RealProducts::multiply(QueryBlock block, std::int64_t tile, real* products) const {
  const std::int64_t count = problem_.rows(tile), d = problem_.target.dimension();
  Tensor points({count, d});
  problem_.centred_points(tile, points.data());
  engine::gemm_single(Transpose::no, Transpose::yes, block.size(), count, d, 1,
                      problem_.queries.data() + block.begin * d, d, points.data(), d, 0, products, count);
}

}  // namespace ot
