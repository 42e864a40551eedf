#include "apps/evaluation/transport.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/apps/evaluation/clouds.h"

using namespace apps::evaluation;
using engine::Tensor;

TEST_CASE("the assignment is the best of all permutations") {
  for (const std::int64_t n : {2, 5, 7}) {
    const Tensor x = normal_points(n, 3, 0), y = normal_points(n, 3, 1);
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    double best = 1e30;
    do {
      double cost = 0;
      for (std::int64_t i = 0; i < n; ++i) cost += plain_squared_distance(x, i, y, order[static_cast<std::size_t>(i)]);
      best = std::min(best, cost / static_cast<double>(n));
    } while (std::next_permutation(order.begin(), order.end()));
    CHECK(assignment_cost(x, y, 2).value == doctest::Approx(best / 2).epsilon(1e-6));
    CHECK(assignment_cost(shuffled(x, 2), shuffled(y, 3), 2).value == doctest::Approx(best / 2).epsilon(1e-6));
  }
}

TEST_CASE("the standard error of W2^2 is how much it differs from draw to draw") {
  constexpr int draws = 60;
  std::vector<double> values;
  double error = 0;
  for (std::uint64_t draw = 0; draw < draws; ++draw) {
    const Tensor x = normal_points(80, 2, 2 * draw), y = shifted(normal_points(80, 2, 2 * draw + 1), 2);
    const Estimate found = assignment_cost(x, y, 1);
    values.push_back(found.value);
    error += found.error / draws;
  }
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / draws;
  double variance = 0;
  for (const double value : values) variance += (value - mean) * (value - mean) / (draws - 1);
  CHECK(error == doctest::Approx(std::sqrt(variance)).epsilon(0.3));
  CHECK(mean == doctest::Approx(8).epsilon(0.1));
}

TEST_CASE("the Sinkhorn divergence of a set to itself is 0, and to the set shifted the square of that") {
  const Tensor x = normal_points(200, 3, 4);
  const Estimate same = sinkhorn_divergence(x, x, 3);
  CHECK(std::abs(same.value) <= 1e-5);
  CHECK(same.error <= 1e-5);
  const Estimate moved = sinkhorn_divergence(x, shifted(x, 2), 3);
  CHECK(moved.value == doctest::Approx(12 / 3.0).epsilon(1e-4));
  CHECK(moved.error <= 1e-3);
}

TEST_CASE("the Sinkhorn divergence of equal laws is small beside its value for others") {
  const Estimate equal = sinkhorn_divergence(normal_points(400, 2, 5), normal_points(400, 2, 6), 2);
  CHECK(equal.value >= 0);
  CHECK(equal.value <= 0.1);
  CHECK(equal.error > 0);
}

TEST_CASE("sets of different sizes are refused") {
  const Tensor x = normal_points(8, 2, 0);
  CHECK_THROWS_WITH_AS(assignment_cost(x, normal_points(7, 2, 0), 1), doctest::Contains("[8, 2] against [7, 2]"),
                       engine::Error);
  CHECK_THROWS_WITH_AS(sinkhorn_divergence(x, normal_points(8, 3, 0), 1), doctest::Contains("[8, 2] against [8, 3]"),
                       engine::Error);
  const Tensor few = normal_points(3, 2, 0);
  CHECK_THROWS_WITH_AS(sinkhorn_divergence(few, few, 1), doctest::Contains("four points at least: 3"), engine::Error);
}
