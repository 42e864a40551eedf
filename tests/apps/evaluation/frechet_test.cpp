#include "apps/evaluation/frechet.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/apps/evaluation/clouds.h"

using apps::evaluation::frechet_distance;
using engine::real;
using engine::Tensor;

namespace {

/// Four points of the plane around `centre` with covariance diag(a^2, b^2) turned by `angle`.
Tensor cross(double a, double b, double angle, double centre) {
  const double c = std::cos(angle), s = std::sin(angle), r = std::sqrt(1.5);
  std::vector<real> points;
  for (const double sign : {-1.0, 1.0}) {
    points.insert(points.end(), {real(centre + sign * r * a * c), real(centre + sign * r * a * s)});
    points.insert(points.end(), {real(centre - sign * r * b * s), real(centre + sign * r * b * c)});
  }
  return Tensor({4, 2}, points);
}

}  // namespace

TEST_CASE("of commuting covariances the Fréchet distance is that of the standard deviations and of the means") {
  for (const double angle : {0.0, 0.7}) {
    CHECK(frechet_distance(cross(3, 1, angle, 0), cross(1, 2, angle, 0)) == doctest::Approx(4 + 1).epsilon(1e-5));
    CHECK(frechet_distance(cross(3, 1, angle, 0), cross(3, 1, angle, 2)) == doctest::Approx(8).epsilon(1e-5));
    CHECK(frechet_distance(cross(3, 0, angle, 0), cross(1, 0, angle, 0)) == doctest::Approx(4).epsilon(1e-5));
  }
}

TEST_CASE("of covariances that do not commute the Fréchet distance is the plane's closed form") {
  // There tr (A^1/2 B A^1/2)^1/2 = sqrt(tr AB + 2 sqrt(det A det B)).
  const double angle = 0.5, c = std::cos(angle) * std::cos(angle), s = 1 - c;
  const double trace = 9 * (4 * c + 0.25 * s) + 1 * (4 * s + 0.25 * c);
  const double expected = 9 + 1 + 4 + 0.25 - 2 * std::sqrt(trace + 2 * std::sqrt(9 * 1 * 4 * 0.25));
  const Tensor x = cross(3, 1, 0, 0), y = cross(2, 0.5, angle, 0);
  CHECK(frechet_distance(x, y) == doctest::Approx(expected).epsilon(1e-5));
  CHECK(frechet_distance(y, x) == doctest::Approx(expected).epsilon(1e-5));
}

TEST_CASE("the Fréchet distance of a set to itself is 0, in any order, also with fewer points than dimensions") {
  const Tensor x = normal_points(200, 8, 0), few = normal_points(5, 8, 1);
  CHECK(std::abs(frechet_distance(x, shuffled(x, 0))) <= 1e-6);
  CHECK(std::abs(frechet_distance(few, few)) <= 1e-6);
  CHECK(frechet_distance(x, shifted(x, 1)) == doctest::Approx(8).epsilon(1e-5));
}

TEST_CASE("sets that have no Fréchet distance are refused") {
  CHECK_THROWS_WITH_AS(frechet_distance(normal_points(4, 2, 0), normal_points(4, 3, 0)),
                       doctest::Contains("[4, 2] against [4, 3]"), engine::Error);
  CHECK_THROWS_WITH_AS(frechet_distance(normal_points(1, 2, 0), normal_points(4, 2, 0)),
                       doctest::Contains("n at least 2"), engine::Error);
}
