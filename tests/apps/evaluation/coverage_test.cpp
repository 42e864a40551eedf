#include "apps/evaluation/coverage.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/apps/evaluation/clouds.h"

using namespace apps::evaluation;
using engine::Tensor;

namespace {

Coverage between(const Tensor& real, const Tensor& generated) {
  return coverage(PointSet(real), PointSet(generated));
}

}  // namespace

TEST_CASE("of equal laws density is about 1, coverage 1 - 2^-5 and the two-sample accuracy 1/2") {
  const Coverage found = between(normal_points(2000, 3, 0), normal_points(2000, 3, 1));
  CHECK(found.density == doctest::Approx(1).epsilon(0.03));
  CHECK(found.coverage == doctest::Approx(1 - 1.0 / 32).epsilon(0.01));
  CHECK(found.two_sample == doctest::Approx(0.5).epsilon(0.05));
  CHECK(found.precision > 0.9);
  CHECK(found.recall > 0.9);
}

TEST_CASE("precision, recall, density and coverage are those of all pairs in double") {
  const Tensor x = normal_points(300, 60, 2), y = normal_points(250, 60, 3);
  const PointSet real(x), generated(y);
  double precise = 0, recalled = 0, covered = 0, balls = 0;
  for (std::int64_t j = 0; j < y.dim(0); ++j) {
    bool inside = false;
    for (std::int64_t i = 0; i < x.dim(0); ++i) {
      const bool in_ball = plain_squared_distance(x, i, y, j) < real.own.kth[static_cast<std::size_t>(i)];
      inside = inside || in_ball;
      balls += in_ball;
    }
    precise += inside;
  }
  for (std::int64_t i = 0; i < x.dim(0); ++i) {
    bool hit = false, inside = false;
    for (std::int64_t j = 0; j < y.dim(0); ++j) {
      const double distance = plain_squared_distance(x, i, y, j);
      hit = hit || distance < real.own.kth[static_cast<std::size_t>(i)];
      inside = inside || distance < generated.own.kth[static_cast<std::size_t>(j)];
    }
    covered += hit, recalled += inside;
  }
  const Coverage found = coverage(real, generated);
  CHECK(found.precision == doctest::Approx(precise / 250));
  CHECK(found.recall == doctest::Approx(recalled / 300));
  CHECK(found.density == doctest::Approx(balls / (5 * 250)));
  CHECK(found.coverage == doctest::Approx(covered / 300));
  CHECK(found.recall < 0.9);
}

TEST_CASE("a set covers itself, each point lies in five balls, and each one's nearest is its copy") {
  const Tensor x = normal_points(100, 4, 4);
  const Coverage found = between(x, shuffled(x, 0));
  CHECK(found.precision == 1);
  CHECK(found.recall == 1);
  CHECK(found.density == 1);
  CHECK(found.coverage == 1);
  CHECK(found.two_sample == 0);
}

TEST_CASE("sets that are far apart have nothing in common") {
  const Coverage found = between(normal_points(100, 4, 5), shifted(normal_points(100, 4, 6), 50));
  CHECK(found.precision == 0);
  CHECK(found.recall == 0);
  CHECK(found.density == 0);
  CHECK(found.coverage == 0);
  CHECK(found.two_sample == 1);
}

TEST_CASE("a point six times over has a ball without inside") {
  const Tensor copies = Tensor::zeros({6, 2});
  const Coverage found = between(copies, copies);
  CHECK(found.precision == 0);
  CHECK(found.coverage == 0);
  CHECK(found.two_sample == 0.5);  // all are equally near
}

TEST_CASE("the order of points does not matter, and the sides change places with precision and recall") {
  const Tensor x = normal_points(200, 10, 7), y = normal_points(200, 10, 8);
  const Coverage found = between(x, y), other = between(shuffled(x, 1), shuffled(y, 2)), swapped = between(y, x);
  CHECK(found.precision == other.precision);
  CHECK(found.recall == other.recall);
  CHECK(found.density == other.density);
  CHECK(found.coverage == other.coverage);
  CHECK(found.two_sample == other.two_sample);
  CHECK(found.precision == swapped.recall);
  CHECK(found.two_sample == swapped.two_sample);
}
