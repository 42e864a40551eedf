#include "apps/costs.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/error.h"

namespace {
/// c(x, y) for x = (0, 0), y = (3, 4) in a target of y alone.
double cost_of(const std::string& cost, double power, const std::string& scale) {
  const ot::Target target(std::vector<engine::real>{3, 4}, 1, 2, apps::make_cost(cost, power, scale));
  const std::vector<engine::real> zero(2);
  return target.cost(zero.data(), 0);
}

std::string refusal(const std::string& cost, double power, const std::string& scale = "alpha") {
  try {
    apps::make_cost(cost, power, scale);
  } catch (const engine::Error& error) {
    return error.what();
  }
  return "accepted";
}
}  // namespace

TEST_CASE("words name costs as SciPy and POT do, with a scale") {
  CHECK(cost_of("sqeuclidean", 0, "one") == doctest::Approx(25));
  CHECK(cost_of("euclidean", 0, "one") == doctest::Approx(5));
  CHECK(cost_of("cityblock", 0, "one") == doctest::Approx(7));
  CHECK(cost_of("power", 3, "one") == doctest::Approx(125));
  CHECK(cost_of("power", 1, "half") == doctest::Approx(2.5));
  for (const char* cost : {"sqeuclidean", "euclidean", "cityblock"})
    CHECK(cost_of(cost, 0, "alpha") == doctest::Approx(1));
  CHECK(cost_of("power", 1.5, "alpha") == doctest::Approx(1));
}

TEST_CASE("the quadratic cost keeps its fast ways, under both its names") {
  CHECK_FALSE(apps::make_cost("sqeuclidean", 0, "alpha").ground);
  CHECK_FALSE(apps::make_cost("power", 2, "alpha").ground);
  CHECK(apps::make_cost("euclidean", 0, "alpha").ground);
}

TEST_CASE("words that name no cost are refused") {
  CHECK(refusal("minkowski", 0) ==
        "--cost 'minkowski' is unknown: it must be sqeuclidean or euclidean or cityblock or power");
  CHECK(refusal("euclidean", 0, "2") == "--cost-scale '2' is unknown: it must be alpha or one or half");
  CHECK(refusal("power", 0) == "--cost-power must be a finite number of at least 1: 0");
  CHECK(refusal("power", 0.5) == "--cost-power must be a finite number of at least 1: 0.5");
  CHECK(refusal("power", INFINITY) == "--cost-power must be a finite number of at least 1: inf");
  CHECK(refusal("power", NAN) == "--cost-power must be a finite number of at least 1: nan");
  CHECK(refusal("euclidean", 3) == "--cost-power is for --cost power, euclidean has its own: 3");
  CHECK(refusal("sqeuclidean", NAN) == "--cost-power is for --cost power, sqeuclidean has its own: nan");
}
