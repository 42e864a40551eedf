#include "ot/search/batch_bounds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "engine/random.h"

using engine::Random;
using engine::real;
using engine::Tensor;
using engine::simd::block_size;
using engine::simd::groups_in_block;

namespace {

/// Normal points [count, d], ten times as wide in the first three coordinates as in the others.
Tensor wide_in_some(const Random& random, std::int64_t count, std::int64_t d, real offset) {
  Tensor points = random.normal({count, d}, 0, real(0.3));
  for (std::int64_t i = 0; i < points.size(); ++i)
    points.data()[i] = offset + points.data()[i] * (i % d < 3 ? real(10) : real(1));
  return points;
}

}  // namespace

TEST_CASE("boxes leave out most blocks, and none with a point within the reach") {
  constexpr std::int64_t count = 6000, d = 12, batch = 21;
  for (const real offset : {real(0), real(100)}) {
    CAPTURE(offset);
    const Tensor y = wide_in_some(Random(1, 0), count, d, offset), x = wide_in_some(Random(1, 1), batch, d, offset);
    const ot::Target target(std::vector<real>(y.values().begin(), y.values().end()), count, d, ot::CostScale::half);
    const ot::PointIndex index(target);
    ot::Sketch sketch(index);
    sketch.fit(x, nullptr);
    for (const double deviation : {0.0, 0.3}) {
      const Tensor psi = Random(1, 2).normal({count}, 0, static_cast<real>(deviation));
      for (const double reach : {0.0, 1.0}) {
        CAPTURE(deviation);
        CAPTURE(reach);
        const ot::BatchBounds bounds(sketch, x, psi, 0, reach);
        int out = 0, wrong = 0;
        for (std::int64_t i = 0; i < batch; ++i) {
          double least = std::numeric_limits<double>::infinity();
          for (std::int64_t j = 0; j < count; ++j) least = std::min(least, bounds.value(i, j));
          for (std::int64_t b = 0; b < sketch.blocks(); ++b) {
            bool near = false;
            for (std::int64_t g = 0; g < groups_in_block; ++g) near = near || std::isfinite(bounds.minima(b, g)[i]);
            if (near) continue;
            ++out;
            for (const std::int64_t j : sketch.points_of(b)) wrong += bounds.value(i, j) <= least + reach;
          }
        }
        CHECK(wrong == 0);
        CHECK(out > (reach == 0 ? 3 : 1) * batch * sketch.blocks() / 4);
      }
    }
  }
}

TEST_CASE("no cut is below the bound of a point that it is made for, where psi is large beside all distances") {
  constexpr std::int64_t count = 300, d = 4, batch = 20;
  const Tensor y = Random(2, 0).normal({count, d}, 0, 1), x = Random(2, 1).normal({batch, d}, 0, 1);
  const ot::Target target(std::vector<real>(y.values().begin(), y.values().end()), count, d, ot::CostScale::one);
  const ot::PointIndex index(target);
  ot::Sketch sketch(index);
  sketch.fit(x, nullptr);
  const Tensor psi = Tensor::full({count}, 12345678);
  const ot::BatchBounds bounds(sketch, x, psi, 0, 0);
  int wrong = 0;
  for (std::int64_t place = 0; place < count; ++place)
    for (std::int64_t i = 0; i < batch; ++i) {
      real of_group[engine::simd::group_size];
      bounds.bounds(i, place / engine::simd::group_size, of_group);
      const real bound = of_group[place % engine::simd::group_size];
      wrong += bound > bounds.cut(i, bounds.value(i, bounds.point(place)));
    }
  CHECK(wrong == 0);
}

TEST_CASE("boxes far from a query leave out no block with a point within the reach") {
  constexpr std::int64_t blocks = 100, d = 3, batch = 40;
  // A block's points are all the same, so that its box bounds them as tightly as can be.
  const Tensor places = Random(3, 0).normal({blocks, d}, 0, real(0.01)), x = Random(3, 1).normal({batch, d}, 0, 1000);
  std::vector<real> y;
  for (std::int64_t j = 0; j < blocks * block_size; ++j)
    for (std::int64_t k = 0; k < d; ++k) y.push_back(places.data()[j / block_size * d + k]);
  const ot::Target target(y, blocks * block_size, d, ot::CostScale::one);
  const ot::PointIndex index(target);
  ot::Sketch sketch(index);
  sketch.fit(x, nullptr);
  const Tensor psi = Tensor::zeros({target.size()});
  const ot::BatchBounds bounds(sketch, x, psi, 0, 0);
  for (std::int64_t i = 0; i < batch; ++i) {
    std::int64_t nearest = 0;
    for (std::int64_t j = 0; j < target.size(); ++j)
      if (bounds.value(i, j) < bounds.value(i, nearest)) nearest = j;
    const auto place = std::find(index.order().begin(), index.order().end(), nearest) - index.order().begin();
    const auto near = bounds.near(place / block_size);
    CHECK(std::find(near.begin(), near.end(), i) != near.end());
  }
}
