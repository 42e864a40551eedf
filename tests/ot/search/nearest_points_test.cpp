#include "ot/search/nearest_points.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <doctest/doctest.h>

#include "engine/random.h"
#include "ot/bytes/byte_products.h"

using engine::Random;
using engine::real;
using engine::Tensor;
using ot::Neighbour;

namespace {

constexpr std::int64_t count = 4000, d = 40, batch = 90;

// Points of a few kinds, wide in some directions, with 0 in a tenth of their coordinates.
std::vector<std::uint8_t> some_bytes() {
  const Tensor kind = Random(71, 0).uniform({6, d}, 0, 190), noise = Random(71, 1).uniform({count, d}, 0, 60);
  std::vector<std::uint8_t> bytes(count * d);
  for (std::int64_t i = 0; i < count * d; ++i)
    bytes[static_cast<std::size_t>(i)] =
        i % 10 == 0 ? 0 : static_cast<std::uint8_t>(kind.data()[i / d % 6 * d + i % d] + noise.data()[i]);
  return bytes;
}

}  // namespace

TEST_CASE(
    "the nearest points are those of the definition, where blocks are searched and where they are multiplied out") {
  const ot::Target target(some_bytes(), count, d, ot::CostScale::inverse_alpha);
  // Queries near points and, for which bounds say little, in between.
  for (const bool between : {false, true}) {
    CAPTURE(between);
    Tensor x({batch, d}), other({1, d});
    const Tensor blur = Random(72, 0).uniform({batch, d}, real(-0.3), real(0.3));
    for (std::int64_t i = 0; i < batch; ++i) {
      target.rows(i * 37, i * 37 + 1, x.data() + i * d);
      target.rows(i * 41 + 3, i * 41 + 4, other.data());
      for (std::int64_t k = 0; between && k < d; ++k) {
        real& coordinate = x.data()[i * d + k];
        coordinate = (coordinate + other.data()[k]) / 2 + blur.data()[i * d + k];
      }
    }
    const ot::PointIndex index(target);
    ot::Sketch sketch(index);
    sketch.fit(x, nullptr);
    const Tensor psi = Random(73, 0).normal({count}, 0, real(0.01));
    std::optional<ot::ByteBlocks> blocks;
    for (const double reach : {0.0, 0.02}) {
      CAPTURE(reach);
      if (ot::ByteProducts::available(target)) blocks.emplace(target, index.order(), reach > 0 ? 0 : 1 << 26);
      ot::ByteBlocks* const laid_out = blocks ? &*blocks : nullptr;
      const ot::BatchBounds bounds(sketch, x, psi, 0, reach);
      std::vector<ot::SearchWork> work;
      const ot::NearestSearch search(bounds, laid_out, reach);
      const auto found = search.find(1e9, work);
      double groups = 0, needs = 0;
      for (const ot::SearchWork& of_query : work) groups += of_query.groups;
      for (std::size_t q = 0; q < found.size(); ++q) CHECK(work[q].values >= static_cast<double>(found[q].size() - 1));
      CHECK(batch * search.expected_work().groups == doctest::Approx(groups));
      for (std::int64_t b = 0; b < sketch.blocks(); ++b) needs += static_cast<double>(bounds.near(b).size());
      if (ot::ByteProducts::available(target) && between) CHECK(groups < needs / 2);
      if (!between) CHECK(groups > 0);

      int wrong = 0;
      for (std::int64_t i = 0; i < batch; ++i) {
        double least = std::numeric_limits<double>::infinity();
        for (std::int64_t j = 0; j < count; ++j) least = std::min(least, bounds.value(i, j));
        std::vector<int> times(count, 0);
        for (const Neighbour& neighbour : found[static_cast<std::size_t>(i)])
          ++times[static_cast<std::size_t>(bounds.point(neighbour.place))];
        for (std::int64_t j = 0; j < count; ++j)
          wrong += times[static_cast<std::size_t>(j)] != (bounds.value(i, j) <= least + reach ? 1 : 0);
      }
      CHECK(wrong == 0);

      // What costs too much is given up, and changes nothing for the others.
      const double most = search.expected_work().cost();
      std::vector<ot::SearchWork> their_work;
      const auto cheap = search.find(most, their_work);
      for (std::size_t q = 0; q < found.size(); ++q) CHECK((cheap[q].empty() || cheap[q].size() == found[q].size()));
      CHECK(std::any_of(cheap.begin(), cheap.end(), [](const auto& of_query) { return !of_query.empty(); }));
      for (const auto& none : search.find(-1, their_work)) CHECK(none.empty());
    }
  }
}

TEST_CASE("blocks that are multiplied out in 16 bits lose no point that is within reach by less than these err") {
  // Few dimensions, in which bounds err by less than 16 bits, and points that are wide in the one that these err in: of
  // a query's least and largest coordinate they miss nothing.
  constexpr std::int64_t points = 4000, dimension = 3;
  const double reach = 5e-4;
  std::vector<std::uint8_t> bytes;
  const Tensor drawn = Random(74, 0).uniform({points * dimension}, 0, 1);
  for (const real value : drawn.values())
    bytes.push_back(static_cast<std::uint8_t>(bytes.size() % 3 == 2 ? 255 * std::pow(value, real(4)) : 8 * value));
  const ot::Target target(bytes, points, dimension, ot::CostScale::one);
  if (!ot::ByteProducts::available(target)) return;
  Tensor x = Random(74, 1).normal({batch, dimension}, 0, real(1e-4));
  for (std::int64_t i = 0; i < batch; ++i) x.data()[i * dimension] += 2, x.data()[i * dimension + 1] -= 2;
  // All points are about as near to all queries, and some within reach by as little as can be.
  Tensor psi = Random(74, 2).uniform({points}, 0, real(1e-3));
  for (std::int64_t j = 0; j < points; ++j) psi.data()[j] += static_cast<real>(target.cost(x.data(), j) - 8);
  const ot::PointIndex index(target);
  ot::Sketch sketch(index);
  sketch.fit(x, nullptr);
  ot::ByteBlocks blocks(target, index.order());
  const ot::BatchBounds bounds(sketch, x, psi, 0, reach);
  std::vector<ot::SearchWork> work;
  const auto found = ot::NearestSearch(bounds, &blocks, reach).find(1e9, work);
  double groups = 0;
  int wrong = 0;
  for (std::int64_t i = 0; i < batch; ++i) {
    groups += work[static_cast<std::size_t>(i)].groups;
    std::vector<double> u;
    for (std::int64_t j = 0; j < points; ++j) u.push_back(bounds.value(i, j));
    const double highest = *std::min_element(u.begin(), u.end()) + reach;
    wrong += std::count_if(u.begin(), u.end(), [&](double value) { return value <= highest; }) !=
             std::ssize(found[static_cast<std::size_t>(i)]);
  }
  CHECK(groups < 10 * batch);  // nearly all blocks are multiplied
  CHECK(wrong == 0);
}
