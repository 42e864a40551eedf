#include "ot/semidual.h"

#include <algorithm>
#include <numeric>

#include <doctest/doctest.h>

#include "engine/ops/matmul.h"
#include "tests/engine/gradient_check.h"
#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;
using engine::Error;
using engine::Tape;
using engine::Var;

namespace {
/// W between uniform points x and sum_j weights_j delta_{y_j} on the line, for the cost (x - y)^2: both are met in
/// increasing order.
double transport_on_the_line(std::vector<double> x, const std::vector<double>& y, const std::vector<double>& weights) {
  std::sort(x.begin(), x.end());
  std::vector<std::size_t> order(y.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return y[a] < y[b]; });
  const double share = 1.0 / static_cast<double>(x.size());
  double cost = 0, left_x = share, left_y = weights[order[0]];
  for (std::size_t i = 0, j = 0; i < x.size() && j < y.size();) {
    const double moved = std::min(left_x, left_y), difference = x[i] - y[order[j]];
    cost += moved * difference * difference;
    left_x -= moved;
    left_y -= moved;
    if (left_x <= left_y) {
      ++i, left_x = share;
    } else {
      ++j;
      if (j < y.size()) left_y = weights[order[j]];
    }
  }
  return cost;
}

Target random_target(std::int64_t count, std::int64_t dimension, std::vector<double> weights = {},
                     CostScale cost = CostScale::inverse_alpha) {
  return Target(vector_of(Random(11, 0).normal({count, dimension}, 0, 1)), count, dimension, cost, std::move(weights));
}
}  // namespace

TEST_CASE("H is the mean c-transform plus the mean potential, with the gradients (104) and (101)") {
  const std::vector<double> weights{0.1, 0, 0.4, 0.2, 0.3};
  const std::vector<real> y = vector_of(Random(11, 0).normal({5, 3}, 0, 1));
  const Target target(y, 5, 3, CostScale::inverse_alpha, weights);
  const Tensor x = Random(12, 0).normal({7, 3}, 0, 1), psi = Random(12, 1).normal({5}, 0, real(0.3));
  for (const double lambda : {0.0, 1e-4, 1e-3, 0.025, 0.1, 1.0, 10.0}) {
    CAPTURE(lambda);
    const Oracle oracle(y, weights, target.scale(), x, psi, lambda);
    Tape tape;
    Var x_leaf = x, psi_leaf = psi;
    tape.watch(x_leaf);
    tape.watch(psi_leaf);
    const Var h = semidual(target, x_leaf, psi_leaf, lambda);
    CHECK(h.shape() == engine::Shape{});
    long double expected = 0;
    for (const long double value : oracle.value) expected += value / 7;
    for (std::size_t j = 0; j < 5; ++j) expected += weights[j] * psi.values()[j];
    CHECK(h.value().item() == doctest::Approx(static_cast<double>(expected)).epsilon(50 * epsilon * (1 + lambda)));

    const std::vector<Var> gradients = tape.gradient(h * 3.0, {x_leaf, psi_leaf});
    const double rounding = lambda == 0 ? 20 * epsilon : 20 * epsilon * (1 + std::min(1 / epsilon, 3 / lambda));
    std::vector<long double> in_x = oracle.gradient, in_psi(5);
    for (long double& value : in_x) value *= 3.0L / 7;
    for (std::size_t j = 0; j < 5; ++j) in_psi[j] = 3 * (weights[j] - oracle.mass[j]);
    CHECK(distance(gradients[0].value(), in_x) < rounding);
    CHECK(distance(gradients[1].value(), in_psi) < rounding);
  }
}

TEST_CASE("the gradients of H are those of finite differences" * doctest::skip(!engine::testing::precise)) {
  const Target target = random_target(40, 4);
  const Tensor x = Random(12, 0).normal({6, 4}, 0, 1), psi = Random(12, 1).normal({40}, 0, real(0.3));
  for (const double lambda : {0.0, 0.025, 0.1, 1.0, 10.0}) {
    CAPTURE(lambda);
    const auto h = [&](const std::vector<Var>& at) { return semidual(target, at[0], at[1], lambda); };
    CHECK(engine::testing::gradient_errors(h, {x, psi}, false, 1e-6).first < 1e-6);
  }
}

TEST_CASE("gradients of H flow on to what made x and psi, and to only what is on the tape") {
  const Target target = random_target(9, 3);
  const Tensor z = Random(12, 0).normal({6, 2}, 0, 1), psi = Random(12, 1).normal({9}, 0, 1);
  Var weight = Random(12, 2).normal({2, 3}, 0, 1);
  Tape tape;
  tape.watch(weight);
  const Var x = matmul(z, weight);
  const std::vector<Var> gradients = tape.gradient(semidual(target, x, psi, 0.1), {weight, x});
  CHECK(distance(gradients[0].value(), matmul(z, gradients[1], engine::Transpose::yes).value()) < 10 * epsilon);
}

TEST_CASE("H refuses to be differentiated twice rather than return a wrong number") {
  const Target target = random_target(9, 3);
  for (const double lambda : {0.0, 0.1}) {
    Tape tape;
    Var x = Random(12, 0).normal({6, 3}, 0, 1), psi = Random(12, 1).normal({9}, 0, 1);
    tape.watch(x);
    tape.watch(psi);
    const std::vector<Var> first = tape.gradient(semidual(target, x, psi, lambda), {x, psi}, true);
    CHECK_THROWS_WITH_AS(tape.gradient(engine::sum(first[0]), {x}), "[semidual] can not be differentiated twice",
                         Error);
    CHECK_THROWS_WITH_AS(tape.gradient(engine::sum(first[1]), {x}), "[semidual] can not be differentiated twice",
                         Error);
  }
}

TEST_CASE("H does not change when psi is shifted") {
  const Target target = random_target(30, 3);
  const Tensor x = Random(12, 0).normal({6, 3}, 0, 1), psi = Random(12, 1).normal({30}, 0, 1);
  Tensor shifted = psi.clone();
  for (real& value : shifted.values()) value += 2;
  for (const double lambda : {0.0, 1e-3, 0.1, 10.0})
    CHECK(semidual(target, x, psi, lambda).value().item() ==
          doctest::Approx(semidual(target, x, shifted, lambda).value().item()).epsilon(50 * epsilon * (1 + lambda)));
}

TEST_CASE("H is a lower bound of the exact transport cost on the line, whatever psi") {
  const std::vector<double> uniform, lumpy{0.05, 0.15, 0, 0.3, 0.1, 0.1, 0.05, 0.25};
  for (const auto& weights : {uniform, lumpy}) {
    const Target target = random_target(8, 1, weights, CostScale::one);
    const Tensor x = Random(13, 0).normal({12, 1}, 0, 1), y = Random(11, 0).normal({8, 1}, 0, 1);
    const double exact =
        transport_on_the_line({x.values().begin(), x.values().end()}, {y.values().begin(), y.values().end()},
                              {target.weights().begin(), target.weights().end()});
    double best = -1e9;
    for (std::uint64_t trial = 0; trial < 50; ++trial) {
      const Tensor psi = Random(14, trial).normal({8}, 0, 1);
      const double h = semidual(target, x, psi, 0).value().item();
      CHECK(h <= exact + 50 * epsilon);
      best = std::max(best, h);
      // For lambda > 0 the bound is W_lambda, which the exact plan exceeds by at most lambda log 12, its entropy.
      CHECK(semidual(target, x, psi, 0.1).value().item() <= exact + 0.1 * std::log(12.0) + 50 * epsilon);
    }
    CHECK(best > 0.2 * exact - 1);
  }
}

TEST_CASE("H reaches the exact cost at the optimal potential") {
  // Two points, a quarter of x on the far side: psi_2 - psi_1 makes the third x indifferent.
  const Target target(std::vector<real>{0, 1}, 2, 1, CostScale::one);
  const Tensor x({4, 1}, {real(0.1), real(0.2), real(0.3), real(0.9)});
  const double exact = (0.01 + 0.04 + 0.49 + 0.01) / 4;
  const Tensor psi({2}, {0, real(0.49 - 0.09)});
  CHECK(semidual(target, x, psi, 0).value().item() == doctest::Approx(exact).epsilon(10 * epsilon));
  CHECK(semidual(target, x, Tensor::zeros({2}), 0).value().item() < exact);
}

TEST_CASE("psi outside the support does not count, and NaN comes out as NaN") {
  const Target target(std::vector<real>{0, 1, 2}, 3, 1, CostScale::one, {0.5, 0.5, 0});
  const Tensor x({1, 1}, {real(0.25)});
  const real nan = std::numeric_limits<real>::quiet_NaN();
  for (const double lambda : {0.0, 0.1}) {
    const real clean = semidual(target, x, Tensor({3}, {0, 0, 0}), lambda).value().item();
    CHECK(semidual(target, x, Tensor({3}, {0, 0, nan}), lambda).value().item() == clean);
    CHECK(std::isnan(semidual(target, x, Tensor({3}, {0, nan, 0}), lambda).value().item()));
    CHECK(std::isnan(semidual(target, Tensor({1, 1}, {nan}), Tensor::zeros({3}), lambda).value().item()));
  }
}
