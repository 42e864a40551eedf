#include "ot/search/point_order.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "engine/parallel.h"
#include "engine/random.h"
#include "engine/simd/kernels.h"

using engine::real;
using engine::Tensor;
using engine::simd::block_size;
using engine::simd::group_size;

namespace {
std::vector<std::int64_t> order_of(const Tensor& coordinates) {
  return ot::tree_order(coordinates.values(), coordinates.dim(1));
}
}  // namespace

TEST_CASE("an order takes every point once, whatever their number, and the same for any number of threads") {
  const int before = engine::threads();
  for (const std::int64_t count : {1, 15, 16, 17, 64, 65, 80, 129, 1000}) {
    const Tensor coordinates = engine::Random(1, 0).normal({count, 3}, 0, 1);
    engine::set_threads(1);
    const std::vector<std::int64_t> order = order_of(coordinates);
    engine::set_threads(3);
    CHECK(order_of(coordinates) == order);
    std::vector<std::int64_t> sorted = order, all(static_cast<std::size_t>(count));
    std::sort(sorted.begin(), sorted.end());
    std::iota(all.begin(), all.end(), 0);
    CHECK(sorted == all);
  }
  engine::set_threads(before);
}

TEST_CASE("blocks and groups are leaves: on a line they follow one another") {
  constexpr std::int64_t count = 1000;
  Tensor coordinates = engine::Random(2, 0).normal({count, 2}, 0, 1);
  for (std::int64_t j = 0; j < count; ++j) coordinates.data()[2 * j + 1] = 0;
  const auto order = order_of(coordinates);
  for (const std::int64_t size : {block_size, group_size})
    for (std::int64_t begin = size; begin < count; begin += size) {
      real before = -100, after = 100;
      for (std::int64_t place = begin - size; place < begin; ++place)
        before = std::max(before, coordinates.data()[2 * order[static_cast<std::size_t>(place)]]);
      for (std::int64_t place = begin; place < std::min(count, begin + size); ++place)
        after = std::min(after, coordinates.data()[2 * order[static_cast<std::size_t>(place)]]);
      CHECK(before <= after);
    }
}

TEST_CASE("points that lie apart stand apart") {
  constexpr std::int64_t clusters = 4;
  Tensor coordinates({clusters * block_size, 2});
  for (std::int64_t j = 0; j < coordinates.dim(0); ++j) {
    coordinates.data()[2 * j] = static_cast<real>(j % clusters / 2);
    coordinates.data()[2 * j + 1] = static_cast<real>(10 * (j % 2));
  }
  const auto order = order_of(coordinates);
  for (std::int64_t place = 0; place < std::ssize(order); ++place) {
    const auto here = static_cast<std::size_t>(place);
    CHECK(order[here] % clusters == order[here / block_size * block_size] % clusters);
  }
}
