#include "apps/paper/claims/duality.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

using namespace apps::claims;

TEST_CASE("the dual value (9) of one point and another is its closed form") {
  const ot::CostMatrix costs(1, 1, std::vector<double>{0.5});
  const std::vector<double> all{1}, phi{0.75}, psi{0.125};
  const auto value = [&](double lambda) {
    return dual_value(costs, all, all, phi, psi, [lambda](double t) { return m(lambda, t); });
  };
  CHECK(value(2) == doctest::Approx(0.875 - 2 * (std::exp(0.375 / 2) - 1)));
  CHECK(value(0) == -std::numeric_limits<double>::infinity());  // phi + psi > c
  CHECK(m(0, -1) == 0);
}

TEST_CASE("a figure that is not a number is worse than any, and within no bound") {
  const Row row{.figure = 1, .bound = 2}, none{.figure = NAN, .bound = 2};
  CHECK(row.within_bound());
  CHECK(!none.within_bound());
  for (const Row& worst : {worse(row, none), worse(none, row)}) CHECK(std::isnan(worst.figure));
  CHECK(worse(row, Row{.figure = 3}).figure == 3);
}
