#include "apps/paper/claims/gradient_formula.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "apps/paper/claims/generator_gradient.h"
#include "apps/paper/claims/setting.h"

using namespace apps::claims;

namespace {

bool all_within(const std::vector<Row>& rows) {
  return std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.within_bound(); });
}

bool none_within(const std::vector<Row>& rows) {
  return std::none_of(rows.begin(), rows.end(), [](const Row& row) { return row.within_bound(); });
}

}  // namespace

TEST_CASE("the gradient formulas hold, and nothing else passes for them") {
  const Formula at_zero = [](LearningProblem& problem, std::span<const double> psi_star, double lambda) {
    return grad_F(problem, std::vector<double>(psi_star.size(), 0), lambda);
  };
  const Formula a_thousandth_too_long = [](LearningProblem& problem, std::span<const double> psi_star, double lambda) {
    std::vector<double> gradient = grad_F(problem, psi_star, lambda);
    for (double& g : gradient) g *= 1.001;
    return gradient;
  };
  const Formula not_a_number = [](LearningProblem& problem, std::span<const double>, double) {
    return std::vector<double>(problem.theta().size(), std::numeric_limits<double>::quiet_NaN());
  };
  constexpr std::uint64_t seed = 3;
  CHECK(all_within(proposition_1(seed)));
  CHECK(all_within(lemma_6(seed)));
  CHECK(all_within(lemma_8(seed)));
  CHECK(all_within(theorem_3(seed)));
  CHECK(all_within(theorem_4(seed)));
  CHECK(all_within(theorem_5(seed)));
  CHECK(all_within(theorem_6(seed)));
  for (const Formula& wrong : {at_zero, a_thousandth_too_long, not_a_number}) {
    CHECK(!all_within(proposition_1(seed, wrong)));
    CHECK(none_within(lemma_6(seed, wrong)));
    CHECK(none_within(lemma_8(seed, wrong)));
    CHECK(none_within(theorem_3(seed, wrong)));
    CHECK(none_within(theorem_4(seed, wrong)));
    CHECK(none_within(theorem_5(seed, wrong)));
    CHECK(none_within(theorem_6(seed, wrong)));
  }
  CHECK(none_within(theorem_6(seed, grad_F)));  // without the gradient of chi*
}

TEST_CASE("a small problem's points are the same in double and by its network") {
  const ot::Target nu = random_nu(1, 5, 3);
  LearningProblem problem(nu, 2, 6, 4, {7, 8});
  const Tensor x = problem.points();
  const std::vector<double> by_hand = problem.points(problem.theta());
  REQUIRE(static_cast<std::size_t>(x.size()) == by_hand.size());
  for (std::size_t i = 0; i < by_hand.size(); ++i) CHECK(std::abs(x.data()[i] - by_hand[i]) < 20 * epsilon);

  const ot::CostMatrix costs = problem.costs_to_nu(problem.theta());
  const ot::CostMatrix own = problem.costs_to_itself(problem.theta());
  std::vector<double> buffer(6);
  for (std::int64_t j = 0; j < 5; ++j)
    CHECK(costs.row(2, buffer.data())[j] == doctest::Approx(c(nu, x.data() + 2 * 3, j)).epsilon(1e3 * epsilon));
  CHECK(own.row(2, buffer.data())[2] == 0);
}

TEST_CASE("differences are the gradient of a quadratic function") {
  const auto f = [](std::span<const double> t) { return t[0] * t[0] + 3 * t[0] * t[1]; };
  const std::vector<double> gradient = differences(f, {2, 5});
  CHECK(relative_error(gradient, {19, 6}) < 1e-8);
  CHECK(relative_error({19, 7}, {19, 6}) == doctest::Approx(1.0 / 19));
  CHECK(std::isnan(relative_error({NAN, 6}, {19, 6})));
}
