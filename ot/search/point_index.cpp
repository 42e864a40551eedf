#include "ot/search/point_index.h"

#include <algorithm>

#include "engine/blas.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "ot/search/orthonormal.h"
#include "ot/search/point_order.h"

namespace ot {

using engine::Tensor;
using engine::Transpose;

PointIndex::PointIndex(const Target& target)
    : target_(target),
      directions_({std::min({most_directions, target.dimension(), target.size()}), target.dimension()}) {
  find_directions();
  find_order();
}

// Each round multiplies the directions by the sample's covariance; four times as many as are kept converge faster. Any
// orthonormal ones are valid.
void PointIndex::find_directions() {
  constexpr std::int64_t sample_size = 4096;
  const std::int64_t d = target_.dimension(), n = std::min(target_.size(), sample_size), kept = directions_.dim(0),
                     k = std::min({4 * kept, d, n});
  Tensor sample(engine::Shape{n, d}), coordinates(engine::Shape{n, k});
  engine::parallel_for(n, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t j = i * target_.size() / n;
      target_.centred_rows(j, j + 1, sample.data() + i * d);
    }
  });
  Tensor directions = engine::Random(0, 0).normal({k, d}, 0, 1);
  for (int round = 0; round < 3; ++round) {
    engine::gemm(Transpose::no, Transpose::yes, n, k, d, 1, sample.data(), d, directions.data(), d, 0,
                 coordinates.data(), k);
    engine::gemm(Transpose::yes, Transpose::no, k, d, n, 1, coordinates.data(), k, sample.data(), d, 0,
                 directions.data(), d);
    for (std::int64_t row = 0; row < k; ++row)
      orthonormalise(directions.data() + row * d, d, {{directions.data(), row}});
  }
  std::copy_n(directions.data(), kept * d, directions_.data());
}

// Coordinates of a stretch go back to the system, not to the pool.
void PointIndex::find_order() {
  const std::int64_t k = std::min(directions_.dim(0), std::int64_t{16});
  for (std::int64_t first = 0; first < target_.size(); first += stretch) {
    const std::int64_t count = std::min(stretch, target_.size() - first);
    std::vector<real> found(static_cast<std::size_t>(count * k));
    coordinates(first, first + count, k, found.data());
    for (const std::int64_t place : tree_order(found, k)) order_.push_back(first + place);
  }
}

void PointIndex::coordinates(std::int64_t begin, std::int64_t end, std::int64_t k, real* out) const {
  constexpr std::int64_t tile = 512;
  const std::int64_t d = target_.dimension();
  engine::parallel_for(end - begin, tile, [&](std::int64_t from, std::int64_t to) {
    Tensor rows(engine::Shape{tile, d});
    target_.centred_rows(begin + from, begin + to, rows.data());
    engine::gemm_single(Transpose::no, Transpose::yes, to - from, k, d, 1, rows.data(), d, directions_.data(), d, 0,
                        out + from * k, k);
  });
}

}  // namespace ot
