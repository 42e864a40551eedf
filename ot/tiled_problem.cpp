#include "ot/tiled_problem.h"

#include <limits>

#include "engine/blas.h"

namespace ot {

using engine::Tensor;
using engine::Transpose;

TiledProblem::TiledProblem(const Target& to, const Tensor& x, const Tensor& psi, double lambda)
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
  for (std::int64_t j = 0; j < target.size(); ++j) {
    const auto index = static_cast<std::size_t>(j);
    const double offset = target.scale() * target.centred_squared_norms()[index] - psi.data()[j];
    offsets.data()[j] = target.weights()[index] == 0 ? std::numeric_limits<real>::infinity()
                                                     : static_cast<real>(offset - lambda * target.log_weights()[index]);
  }
}

void TiledProblem::tile_minima(QueryBlock block, std::int64_t tile, const real* products,
                               engine::simd::Minimum* minima) const {
  const std::int64_t first = first_row(tile), count = rows(tile);
  for (std::int64_t i = 0; i < block.size(); ++i) {
    minima[i] = engine::simd::kernels().min_affine(count, offsets.data() + first, slope, products + i * count);
    if (minima[i].index >= 0) minima[i].index += first;
  }
}

void TiledProblem::multiply(QueryBlock block, std::int64_t tile, real* products) const {
  const std::int64_t first = first_row(tile), count = rows(tile), d = target.dimension();
  Tensor points({count, d});
  target.centred_rows(first, first + count, points.data());
  engine::gemm_single(Transpose::no, Transpose::yes, block.size(), count, d, 1, queries.data() + block.begin * d, d,
                      points.data(), d, 0, products, count);
}

}  // namespace ot
