#include "ot/target.h"

#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "engine/parallel.h"
#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;
using doctest::Contains;
using engine::Error;

TEST_CASE("a target knows its points, the mean, the mean square and the scale") {
  const Target target(std::vector<real>{1, 2, 3, 4, 5, 7}, 3, 2, CostScale::inverse_alpha);
  CHECK(target.size() == 3);
  CHECK(target.dimension() == 2);
  CHECK(target.uniform());
  CHECK(target.mean()[0] == doctest::Approx(3));
  CHECK(target.mean()[1] == doctest::Approx(13.0 / 3));
  CHECK(target.alpha() == doctest::Approx((5 + 25 + 74) / 3.0));
  CHECK(target.scale() == doctest::Approx(3 / 104.0));
  CHECK(target.centred_squared_norms()[2] == doctest::Approx(4 + 64.0 / 9));
  for (int j = 0; j < 3; ++j) {
    CHECK(target.weights()[static_cast<std::size_t>(j)] == doctest::Approx(1 / 3.0));
    CHECK(target.log_weights()[static_cast<std::size_t>(j)] == 0);
  }
  real rows[4];
  target.rows(1, 3, rows);
  CHECK(rows[0] == 3);
  CHECK(rows[3] == 7);
  target.centred_rows(1, 3, rows);
  CHECK(rows[0] == doctest::Approx(0));
  CHECK(rows[3] == doctest::Approx(8.0 / 3));
  const real x[] = {1, 1};
  CHECK(target.squared_distance(x, 2) == 52);
}

TEST_CASE("the cost's scale is one, half or the inverse mean square") {
  const std::vector<real> points{3, 1};
  CHECK(Target(points, 2, 1, CostScale::one).scale() == 1);
  CHECK(Target(points, 2, 1, CostScale::half).scale() == 0.5);
  CHECK(Target(points, 2, 1, CostScale::inverse_alpha).scale() == doctest::Approx(0.2));
}

TEST_CASE("nothing depends on a point of weight zero") {
  const Target target(std::vector<real>{1, 1000, 3}, 3, 1, CostScale::inverse_alpha, {0.25, 0, 0.75});
  CHECK_FALSE(target.uniform());
  CHECK(target.mean()[0] == doctest::Approx(2.5));
  CHECK(target.alpha() == doctest::Approx(7));
  CHECK(target.log_weights()[0] == doctest::Approx(std::log(0.75)));
  CHECK(target.log_weights()[1] == -std::numeric_limits<double>::infinity());
}

TEST_CASE("weights that sum to 1 but for rounding are scaled to sum to 1") {
  const Target target(std::vector<real>{1, 2}, 2, 1, CostScale::one, {0.5, 0.5000005});
  CHECK(target.weights()[0] + target.weights()[1] == doctest::Approx(1).epsilon(1e-15));
  CHECK(Target(std::vector<real>{1, 2}, 2, 1, CostScale::one, {0.5, 0.5}).uniform());
}

TEST_CASE("8-bit points stand for byte / 255, and agree with the same points as reals") {
  std::vector<std::uint8_t> bytes(1100 * 3);
  std::vector<real> reals;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(Random(1, 0).bits(i));
    reals.push_back(static_cast<real>(bytes[i] / 255.0));
  }
  bytes[0] = 255, reals[0] = 1;
  const Target a(bytes, 1100, 3, CostScale::inverse_alpha), b(reals, 1100, 3, CostScale::inverse_alpha);
  CHECK(a.alpha() == doctest::Approx(b.alpha()).epsilon(10 * epsilon));
  CHECK(distance(a.mean(), b.mean()) < 10 * epsilon);
  CHECK(distance(a.centred_squared_norms(), b.centred_squared_norms()) < 20 * epsilon);
  std::vector<real> rows_a(1100 * 3), rows_b(1100 * 3);
  a.rows(0, 1100, rows_a.data());
  b.rows(0, 1100, rows_b.data());
  CHECK(distance(rows_a, rows_b) <= epsilon);
  CHECK(rows_a[0] == doctest::Approx(1).epsilon(epsilon));
  CHECK(a.squared_distance(rows_a.data() + 3 * 700, 700) == 0);
}

TEST_CASE("a common offset does not cost the mean square its digits") {
  const Tensor noise = Random(2, 0).normal({2000, 4}, 0, 1);
  std::vector<real> points;
  for (real value : noise.values()) points.push_back(100 + value);
  long double alpha = 0;
  for (real value : points) alpha += static_cast<long double>(value) * value / 2000;
  CHECK(Target(points, 2000, 4, CostScale::one).alpha() ==
        doctest::Approx(static_cast<double>(alpha)).epsilon(10 * epsilon));
}

TEST_CASE("a target does not depend on the number of threads") {
  const std::vector<real> points = vector_of(Random(3, 0).normal({3000, 5}, 0, 1));
  const int threads = engine::threads();
  engine::set_threads(1);
  const Target one(points, 3000, 5, CostScale::inverse_alpha);
  engine::set_threads(2);
  const Target two(points, 3000, 5, CostScale::inverse_alpha);
  engine::set_threads(threads);
  CHECK(one.alpha() == two.alpha());
  CHECK(distance(one.mean(), two.mean()) == 0);
}

TEST_CASE("a target refuses what is no measure on R^d, and says why") {
  const auto make = [](std::vector<real> points, std::int64_t count, std::vector<double> weights = {},
                       CostScale cost = CostScale::one) { Target(std::move(points), count, 2, cost, weights); };
  CHECK_THROWS_WITH_AS(make({}, 0), "[target] there must be at least one point and one dimension: 0 x 2", Error);
  CHECK_THROWS_WITH_AS(make({1, 2, 3}, 2), "[target] the points must be [count, dimension]: 2 x 2 against 3 values",
                       Error);
  CHECK_THROWS_WITH_AS(Target(std::vector<std::uint8_t>(5), 2, 2, CostScale::one),
                       "[target] the points must be [count, dimension]: 2 x 2 against 5 values", Error);
  CHECK_THROWS_WITH_AS(make({1, 2, 3, 4}, 2, {1}),
                       "[target] there must be one weight for each point: 1 weights against 2 points", Error);
  CHECK_THROWS_WITH_AS(make({1, 2, 3, 4}, 2, {1.5, -0.5}),
                       "[target] weights must be finite and not negative: weight 1 is -0.5", Error);
  CHECK_THROWS_WITH_AS(make({1, 2, 3, 4}, 2, {std::nan(""), 1}), Contains("weight 0 is nan"), Error);
  CHECK_THROWS_WITH_AS(make({1, 2, 3, 4}, 2, {0.5, 0.6}), "[target] weights must sum to 1: their sum is 1.1", Error);
  CHECK_THROWS_WITH_AS(make({1, 2, 3, NAN}, 2), "[target] points must be finite: coordinate 1 of point 1 is nan",
                       Error);
  CHECK_THROWS_WITH_AS(make({1, 2, INFINITY, 4}, 2, {1, 0}),
                       "[target] points must be finite: coordinate 0 of point 1 is inf", Error);
  const real huge = std::sqrt(std::numeric_limits<real>::max()) * 4;
  CHECK_THROWS_WITH_AS(make({0, 0, huge, 0}, 2),
                       "[target] squared distances must not overflow: point 0 is too far from the mean", Error);
  CHECK_THROWS_WITH_AS(make({0, 0, 0, 0}, 2, {}, CostScale::inverse_alpha),
                       "[target] a cost normalised by its mean between 0 and the points needs points that are not all "
                       "zero, or nearly: the mean is 0; scale the points, or take a cost that is not normalised",
                       Error);
  const real near = std::sqrt(std::numeric_limits<real>::min()) / 8;  // 1 over its square overflows
  CHECK_THROWS_WITH_AS(make({0, near, 0, near}, 2, {}, CostScale::inverse_alpha), Contains("not all zero, or nearly"),
                       Error);
  CHECK_NOTHROW(make({0, 0, 0, 0}, 2));
}
