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

namespace {

constexpr std::int64_t most_sampled = 4096, coordinates_of_order = 16;

/// Rows first..first + target.size() - 1 of a sample of `total` points, as far as it has them, centred; others are 0.
Tensor sample_of(const Target& target, std::int64_t first, std::int64_t total) {
  const std::int64_t d = target.dimension(), n = std::min(total, most_sampled);
  Tensor sample = Tensor::zeros({n, d});
  engine::parallel_for(n, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      if (const std::int64_t j = i * total / n - first; j >= 0 && j < target.size())
        target.centred_rows(j, j + 1, sample.data() + i * d);
  });
  return sample;
}

/// C of a sample [n, d], [kept, d]. Each round multiplies the directions by the sample's covariance; four times as many
/// as are kept converge faster. Any orthonormal ones are valid.
Tensor directions_of(const Tensor& sample) {
  const std::int64_t n = sample.dim(0), d = sample.dim(1), kept = std::min({PointIndex::most_directions, d, n}),
                     k = std::min({4 * kept, d, n});
  Tensor coordinates(engine::Shape{n, k}), directions = engine::Random(0, 0).normal({k, d}, 0, 1);
  for (int round = 0; round < 3; ++round) {
    engine::gemm(Transpose::no, Transpose::yes, n, k, d, 1, sample.data(), d, directions.data(), d, 0,
                 coordinates.data(), k);
    engine::gemm(Transpose::yes, Transpose::no, k, d, n, 1, coordinates.data(), k, sample.data(), d, 0,
                 directions.data(), d);
    for (std::int64_t row = 0; row < k; ++row)
      orthonormalise(directions.data() + row * d, d, {{directions.data(), row}});
  }
  Tensor leading({kept, d});
  std::copy_n(directions.data(), kept * d, leading.data());
  return leading;
}

void write_coordinates(const Target& target, const Tensor& directions, std::int64_t begin, std::int64_t end,
                       std::int64_t k, real* out) {
  constexpr std::int64_t tile = 512;
  const std::int64_t d = target.dimension();
  engine::parallel_for(end - begin, tile, [&](std::int64_t from, std::int64_t to) {
    Tensor rows(engine::Shape{tile, d});
    target.centred_rows(begin + from, begin + to, rows.data());
    engine::gemm_single(Transpose::no, Transpose::yes, to - from, k, d, 1, rows.data(), d, directions.data(), d, 0,
                        out + from * k, k);
  });
}

}  // namespace

PointIndex::PointIndex(const Target& target)
    : target_(target), directions_(directions_of(sample_of(target, 0, target.size()))) {
  find_order();
}

// Coordinates of a stretch go back to the system, not to the pool.
void PointIndex::find_order() {
  const std::int64_t k = std::min(directions_.dim(0), coordinates_of_order);
  for (std::int64_t first = 0; first < target_.size(); first += stretch) {
    const std::int64_t count = std::min(stretch, target_.size() - first);
    std::vector<real> found(static_cast<std::size_t>(count * k));
    coordinates(first, first + count, k, found.data());
    for (const std::int64_t place : tree_order(found, k)) order_.push_back(first + place);
  }
}

void PointIndex::coordinates(std::int64_t begin, std::int64_t end, std::int64_t k, real* out) const {
  write_coordinates(target_, directions_, begin, end, k, out);
}

std::vector<std::int64_t> places(const PointIndex& index) {
  const Target& target = index.target();
  std::vector<std::int64_t> places(static_cast<std::size_t>(target.size()));
  if (target.ranks().size() == 1) {
    for (std::size_t p = 0; p < places.size(); ++p)
      places[static_cast<std::size_t>(index.order()[p])] = static_cast<std::int64_t>(p);
    return places;
  }
  Tensor sample = sample_of(target, target.of_rank().first, target.total());
  target.ranks().unite(sample.values());
  const Tensor directions = directions_of(sample);
  const std::int64_t k = std::min(directions.dim(0), coordinates_of_order),
                     end = target.of_rank().first + target.size();
  for (std::int64_t first = 0; first < target.total(); first += PointIndex::stretch) {
    const std::int64_t count = std::min(PointIndex::stretch, target.total() - first),
                       from = std::max(first, target.of_rank().first), to = std::min(first + count, end);
    std::vector<real> found(static_cast<std::size_t>(count * k));
    if (from < to)
      write_coordinates(target, directions, from - target.of_rank().first, to - target.of_rank().first, k,
                        found.data() + (from - first) * k);
    target.ranks().unite(std::span(found));
    if (from >= to) continue;
    std::int64_t place = first;
    for (const std::int64_t point : tree_order(found, k)) {
      if (const std::int64_t j = target.of_rank().place(first + point); j >= 0)
        places[static_cast<std::size_t>(j)] = place;
      ++place;
    }
  }
  return places;
}

}  // namespace ot
