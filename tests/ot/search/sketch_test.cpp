#include "ot/search/sketch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "engine/random.h"
#include "engine/simd/kernels.h"
#include "tests/ot/surface.h"

using engine::Random;
using engine::real;
using engine::Tensor;
using ot::CostScale;
using ot::Target;
using ot::testing::surface;

namespace {

/// How many bounds of a sketch fitted to x are above what is true, x in long double, at any SIMD level.
int wrong_bounds(const ot::PointIndex& index, const ot::Sketch& sketch, const std::vector<real>& points,
                 const Tensor& x) {
  using namespace engine::simd;
  const Target& target = index.target();
  const std::int64_t count = target.size(), d = target.dimension(), dimension = sketch.dimension();
  const auto queries = sketch.queries(x);
  const Tensor zero = Tensor::zeros({block_size});
  const auto centred = [&](const real* row, std::int64_t c) {
    return static_cast<long double>(row[c]) - target.mean()[static_cast<std::size_t>(c)];
  };
  int wrong = 0;
  for (std::int64_t b = 0; b < sketch.blocks(); ++b)
    for (std::int64_t i = 0; i < x.dim(0); ++i) {
      long double highest[block_size];
      for (std::int64_t l = 0; l < block_size && b * block_size + l < count; ++l) {
        const std::int64_t j = index.order()[static_cast<std::size_t>(b * block_size + l)];
        long double product = 0;
        for (std::int64_t c = 0; c < d; ++c)
          product += centred(x.data() + i * d, c) * centred(&points[static_cast<std::size_t>(j * d)], c);
        highest[l] = queries.margin[static_cast<std::size_t>(i)] - product;
      }
      for (Level level : levels()) {
        const auto& kernels = *kernels_of(level);
        real bounds[groups_in_block][group_size], least[groups_in_block];
        for (std::int64_t g = 0; g < groups_in_block; ++g)
          kernels.group_values(dimension, sketch.block(b) + g * group_size, zero.data(),
                               queries.coordinates.data() + i * dimension, bounds[g]);
        const std::int32_t first = 0;
        kernels.group_minima(dimension, sketch.block(b), zero.data(), 1, &first,
                             queries.coordinates.data() + i * dimension, least, 1);
        for (std::int64_t l = 0; l < block_size && b * block_size + l < count; ++l) {
          wrong += least[l / group_size] > highest[l];
          wrong += bounds[l / group_size][l % group_size] > highest[l];
        }
      }
    }
  return wrong;
}

}  // namespace

TEST_CASE("bounds are never above the true value, at any SIMD level") {
  constexpr std::int64_t count = 1000, d = 50, batch = 9;
  const auto points = surface(count, d, 8, 4, 3);
  const Target target(points, count, d, CostScale::half);
  const ot::PointIndex index(target);
  ot::Sketch sketch(index);
  Tensor x = Random(5, 0).normal({batch, d}, 3, 1);
  // one query on a point, one far away
  std::copy_n(points.data() + 17 * d, d, x.data());
  for (std::int64_t c = 0; c < d; ++c) x.data()[d + c] *= 1000;
  for (int fits = 1; fits <= 2; ++fits) {
    sketch.fit(x, nullptr);
    CHECK(wrong_bounds(index, sketch, points, x) == 0);
  }
}

TEST_CASE("bounds hold where what the directions leave of points is less than their squared lengths are rounded by") {
  constexpr std::int64_t count = 1000, d = 48, wide = 32, batch = 64;
  // The other coordinates are about 1e-4 of a point's length, and all that the queries have.
  std::vector<real> points;
  const Tensor normal = Random(6, 0).normal({count, d}, 0, 1);
  for (std::int64_t k = 0; k < normal.size(); ++k)
    points.push_back(k % d < wide ? normal.data()[k] : real(3e-4) * normal.data()[k]);
  const Target target(points, count, d, CostScale::half);
  Tensor x({batch, d});
  for (std::int64_t i = 0; i < batch; ++i)
    for (std::int64_t c = 0; c < d; ++c)
      x.data()[i * d + c] = target.mean()[static_cast<std::size_t>(c)] + (c < wide ? 0 : normal.data()[i * d + c]);
  const ot::PointIndex index(target);
  ot::Sketch sketch(index);
  sketch.fit(x, nullptr);
  CHECK(wrong_bounds(index, sketch, points, x) == 0);
}

TEST_CASE("a query's margin is no less than coordinates may err in sums of d terms") {
  constexpr std::int64_t count = 100, d = 60, batch = 5;
  const auto points = surface(count, d, 8, 4, 3);
  const Target target(points, count, d, CostScale::half);
  const ot::PointIndex index(target);
  ot::Sketch sketch(index);
  const Tensor x = Random(5, 0).normal({batch, d}, 3, 1);
  sketch.fit(x, nullptr);
  const auto queries = sketch.queries(x);
  const double directions = static_cast<double>(sketch.dimension() - 1);
  for (std::size_t i = 0; i < batch; ++i)
    // Of points and queries, and of directions that are not quite orthonormal.
    CHECK(queries.margin[i] >= 3 * std::sqrt(directions) * d * std::numeric_limits<real>::epsilon() / 2 *
                                   std::sqrt(queries.squared_norm[i]) * target.longest());
}
