#include "apps/evaluation/neighbours.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/parallel.h"
#include "tests/apps/evaluation/clouds.h"

using namespace apps::evaluation;
using engine::real;
using engine::Tensor;

namespace {

/// Clouds that float products alone get wrong: far from the origin, and with equal points.
struct Hard {
  Tensor x = shifted(normal_points(150, 20, 0), 300), y = shifted(normal_points(200, 20, 1), 300);
  Hard() {
    std::copy_n(x.data(), 20 * 10, x.data() + 20 * 100);
    std::copy_n(x.data(), 20 * 5, y.data());
  }
};

}  // namespace

TEST_CASE("distances to the own set's neighbours are those of all pairs in double") {
  const Tensor x = Hard().x;
  const OwnNeighbours own = own_neighbours(x, 5);
  for (std::int64_t i = 0; i < x.dim(0); ++i) {
    std::vector<double> distances;
    for (std::int64_t j = 0; j < x.dim(0); ++j)
      if (j != i) distances.push_back(plain_squared_distance(x, i, x, j));
    std::sort(distances.begin(), distances.end());
    CHECK(own.nearest[static_cast<std::size_t>(i)] == doctest::Approx(distances[0]).epsilon(1e-12));
    CHECK(own.kth[static_cast<std::size_t>(i)] == doctest::Approx(distances[4]).epsilon(1e-12));
  }
  CHECK(own.nearest[0] == 0);
}

TEST_CASE("the nearest of another set and the balls around a point are those of all pairs in double") {
  const Hard hard;
  // Radii at which some points lie exactly on the rim, and so outside.
  const std::vector<double> radii = own_neighbours(hard.y, 5).kth;
  const OtherNeighbours other = other_neighbours(hard.x, hard.y, radii);
  for (std::int64_t i = 0; i < hard.x.dim(0); ++i) {
    double nearest = 1e30;
    std::int64_t balls = 0;
    for (std::int64_t j = 0; j < hard.y.dim(0); ++j) {
      const double distance = plain_squared_distance(hard.x, i, hard.y, j);
      nearest = std::min(nearest, distance);
      balls += distance < radii[static_cast<std::size_t>(j)];
    }
    CHECK(other.nearest[static_cast<std::size_t>(i)] == doctest::Approx(nearest).epsilon(1e-12));
    CHECK(other.balls[static_cast<std::size_t>(i)] == balls);
  }
  CHECK(other.nearest[0] == 0);
  const OtherNeighbours rim =
      other_neighbours(Tensor({1, 1}, {0}), Tensor({3, 1}, {-2, 3, 5}), std::vector<double>{4, 9.5, 24.5});
  CHECK(rim.balls[0] == 1);
  CHECK(rim.nearest[0] == 4);
}

TEST_CASE("neighbours do not depend on the number of threads") {
  const Tensor x = normal_points(700, 30, 2), y = normal_points(600, 30, 3);
  const int before = engine::threads();
  const std::vector<double> radii(600, 40);
  engine::set_threads(1);
  const OwnNeighbours own = own_neighbours(x, 5);
  const OtherNeighbours other = other_neighbours(x, y, radii);
  engine::set_threads(3);
  const OwnNeighbours own_3 = own_neighbours(x, 5);
  const OtherNeighbours other_3 = other_neighbours(x, y, radii);
  engine::set_threads(before);
  CHECK(own.nearest == own_3.nearest);
  CHECK(own.kth == own_3.kth);
  CHECK(other.nearest == other_3.nearest);
  CHECK(other.balls == other_3.balls);
}

TEST_CASE("neighbours of sets that do not fit are refused") {
  const Tensor x = normal_points(5, 2, 0);
  CHECK_THROWS_WITH_AS(own_neighbours(x, 5), doctest::Contains("x must be [n, d] with n above k = 5: [5, 2]"),
                       engine::Error);
  CHECK_THROWS_WITH_AS(other_neighbours(x, normal_points(4, 3, 0), std::vector<double>(4)),
                       doctest::Contains("the same d: [5, 2] against [4, 3]"), engine::Error);
  CHECK_THROWS_WITH_AS(other_neighbours(x, x, std::vector<double>(4)),
                       doctest::Contains("a radius for each point: 4 against [5, 2]"), engine::Error);
}
