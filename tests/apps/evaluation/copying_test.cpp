#include "apps/evaluation/copying.h"

#include <cmath>

#include <doctest/doctest.h>

#include "tests/apps/evaluation/clouds.h"

using namespace apps::evaluation;
using engine::real;
using engine::Tensor;

namespace {

ot::Target target_on(const Tensor& y) {
  return {std::vector<real>(y.values().begin(), y.values().end()), y.dim(0), y.dim(1), ot::CostScale::inverse_alpha};
}

}  // namespace

TEST_CASE("the nearest training points are those of all pairs, also without some of them") {
  // More points than those from which on a c-transform searches.
  const Tensor y = normal_points(3000, 6, 0), x = normal_points(250, 6, 1);
  const ot::Target training = target_on(y);
  std::vector<std::int64_t> without;
  for (std::int64_t j = 0; j < 3000; j += 2) without.push_back(j);
  for (const bool all : {true, false}) {
    const NearestTraining nearest =
        nearest_training(training, x, all ? std::span<const std::int64_t>() : std::span<const std::int64_t>(without));
    for (std::int64_t i = 0; i < x.dim(0); ++i) {
      std::int64_t best = all ? 0 : 1;
      for (std::int64_t j = best; j < y.dim(0); j += all ? 1 : 2)
        if (plain_squared_distance(x, i, y, j) < plain_squared_distance(x, i, y, best)) best = j;
      CHECK(nearest.points[static_cast<std::size_t>(i)] == best);
      CHECK(nearest.squared_distances[static_cast<std::size_t>(i)] ==
            doctest::Approx(plain_squared_distance(x, i, y, best)));
    }
  }
}

TEST_CASE("Z is that of Mann and Whitney's statistic, ties counted half") {
  const std::vector<double> low{1, 2}, high{3, 4, 5}, tied{1, 3};
  const double deviation = std::sqrt(2 * 3 * 6 / 12.0);
  CHECK(copying_statistic(low, high) == doctest::Approx(-2.5 / deviation));
  CHECK(copying_statistic(high, low) == doctest::Approx(3.5 / deviation));
  CHECK(copying_statistic(tied, high) == doctest::Approx((0.5 - 2.5) / deviation));
}

TEST_CASE("copies of training points have a Z far below 0, points of the same law one around 0") {
  const Tensor y = normal_points(1000, 5, 2), held_out = normal_points(300, 5, 3);
  const ot::Target training = target_on(y);
  const std::vector<double> reference = nearest_training(training, held_out).squared_distances;
  Tensor copies({300, 5}, y.values().first(1500));
  copies.data()[7] += real(0.01);
  const NearestTraining of_copies = nearest_training(training, copies);
  CHECK(copying_statistic(of_copies.squared_distances, reference) < -15);
  CHECK(share_of_distinct(of_copies.points) == 1);
  CHECK(of_copies.squared_distances[0] == 0);
  const NearestTraining fresh = nearest_training(training, normal_points(300, 5, 4));
  CHECK(std::abs(copying_statistic(fresh.squared_distances, reference)) < 3);
}

TEST_CASE("distinct points are counted once") {
  CHECK(share_of_distinct(std::vector<std::int64_t>{3, 1, 3, 3}) == 0.5);
}
