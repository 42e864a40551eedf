#include "ot/search/neighbour_search.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "engine/random.h"
#include "tests/ot/surface.h"

using namespace ot;
using engine::Random;
using engine::Tensor;
using ot::testing::surface;

TEST_CASE("neighbours are all points within reach, and no others") {
  constexpr std::int64_t count = 3000, d = 40, batch = 6;
  const auto points = surface(count, d, 4, 17);
  const Target target(points, count, d, CostScale::half);
  const PointIndex index(target);
  NeighbourSearch search(index, nullptr);
  const Tensor x({batch, d}, surface(batch, d, 4, 18)), psi = Random(19, 0).normal({count}, 0, real(0.5));
  for (double reach : {0.0, 0.5, 2.0}) {
    const auto found = search.nearest(x, psi, reach);
    REQUIRE(found);
    for (std::int64_t i = 0; i < batch; ++i) {
      std::vector<long double> u(count);
      for (std::int64_t j = 0; j < count; ++j) {
        long double squares = 0;
        for (std::int64_t c = 0; c < d; ++c) {
          const long double difference = static_cast<long double>(x.data()[i * d + c]) - points[j * d + c];
          squares += difference * difference;
        }
        u[static_cast<std::size_t>(j)] = squares / 2 - psi.data()[j];
      }
      const long double least = *std::ranges::min_element(u);
      std::vector<int> near(count, 0);
      for (const Neighbour& neighbour : (*found)[static_cast<std::size_t>(i)])
        ++near[static_cast<std::size_t>(index.order()[static_cast<std::size_t>(neighbour.place)])];
      int wrong = 0;
      for (std::size_t j = 0; j < u.size(); ++j) {
        if (std::abs(u[j] - least - reach) < 1e-5L) continue;  // on the edge either is right
        wrong += near[j] != (u[j] <= least + reach ? 1 : 0);
      }
      CHECK(wrong == 0);
    }
  }
}
