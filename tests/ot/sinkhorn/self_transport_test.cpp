#include "ot/sinkhorn/self_transport.h"

#include <cmath>
#include <limits>
#include <memory>

#include <doctest/doctest.h>

#include "ot/plan/cost_matrix.h"
#include "ot/power_cost.h"
#include "ot/semidual.h"
#include "ot/sinkhorn/sinkhorn.h"
#include "tests/engine/gradient_check.h"
#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;
using engine::Error;
using engine::Tape;
using engine::Var;

namespace {

Target random_target(std::int64_t count, std::int64_t dimension, std::vector<double> weights = {},
                     CostScale cost = CostScale::inverse_alpha) {
  return Target(vector_of(Random(11, 0).normal({count, dimension}, 0, 1)), count, dimension, cost, std::move(weights));
}

double value(const Target& target, const Tensor& x, double lambda) {
  return self_transport(target, x, lambda).value().item();
}

/// S_lambda(mu, nu), (72), for mu uniform on x, by its three terms.
double divergence(const Target& nu, const Tensor& x, double lambda) {
  const std::vector<double> mu(static_cast<std::size_t>(x.dim(0)), 1.0 / static_cast<double>(x.dim(0)));
  const double cross =
      sinkhorn(cost_matrix(nu, x), mu, nu.weights(), {.lambda = lambda, .tolerance = 1e-7}).duality.dual;
  return cross - 0.5 * (value(nu, x, lambda) + self_transport(nu, lambda, nu.size(), 0));
}

}  // namespace

TEST_CASE("the self-transport of two points is that of the two-by-two symmetric plan") {
  // The plan has mass t / 2 off the diagonal; at the optimum t / (1 - t) = e^{-c / lambda}.
  const Target target(std::vector<real>{0, 1}, 2, 1, CostScale::half);
  const Tensor x({2, 1}, {real(0.25), real(1.5)});
  const double cost = 0.5 * 1.25 * 1.25;
  for (const double lambda : {0.05, 0.5, 5.0}) {
    CAPTURE(lambda);
    const double t = 1 / (1 + std::exp(cost / lambda));
    const double entropy = t * std::log(2 * t) + (1 - t) * std::log(2 * (1 - t));
    CHECK(value(target, x, lambda) == doctest::Approx(t * cost + lambda * entropy).epsilon(100 * epsilon));
  }
}

TEST_CASE("self-transport takes the target's ground cost, with its gradient") {
  const Target target(std::vector<real>{0, 1}, 2, 1, {CostScale::half, std::make_shared<PowerCost>(1)});
  const Tensor pair({2, 1}, {real(0.25), real(1.5)});
  const double cost = 0.5 * 1.25, t = 1 / (1 + std::exp(cost / 0.5));
  const double entropy = t * std::log(2 * t) + (1 - t) * std::log(2 * (1 - t));
  CHECK(value(target, pair, 0.5) == doctest::Approx(t * cost + 0.5 * entropy).epsilon(100 * epsilon));
  double row[2];
  cost_matrix(target, pair).row(1, row);
  CHECK(row[0] == doctest::Approx(0.75));
  if (!engine::testing::precise) return;
  const auto w = [&](const std::vector<Var>& at) { return self_transport(target, at[0], 0.1); };
  CHECK(engine::testing::gradient_errors(w, {Random(12, 0).normal({6, 1}, 0, 1)}, false, 1e-6).first < 1e-6);
}

TEST_CASE("a single point costs nothing to itself") {
  const Target target = random_target(5, 3);
  Tape tape;
  Var x = Random(12, 0).normal({1, 3}, 0, 1);
  tape.watch(x);
  const Var w = self_transport(target, x, 0.1);
  CHECK(w.value().item() == doctest::Approx(0).epsilon(epsilon));
  CHECK(distance(tape.gradient(w, {x})[0].value(), std::vector<long double>(3, 0)) < 10 * epsilon);
}

TEST_CASE("the gradient of the self-transport is that of finite differences" *
          doctest::skip(!engine::testing::precise)) {
  const Tensor x = Random(12, 0).normal({7, 3}, 0, 1);
  for (const CostScale scale : {CostScale::one, CostScale::half, CostScale::inverse_alpha}) {
    const Target target = random_target(9, 3, {}, scale);
    for (const double lambda : {0.05, 0.2, 1.0, 10.0}) {
      CAPTURE(lambda);
      const auto w = [&](const std::vector<Var>& at) { return self_transport(target, at[0], lambda); };
      CHECK(engine::testing::gradient_errors(w, {x}, false).first < 1e-5);
    }
  }
}

TEST_CASE("the Sinkhorn divergence is positive, and zero for equal measures") {
  const Target nu = random_target(12, 3);
  Tensor y({12, 3});
  nu.rows(0, 12, y.data());
  for (const double lambda : {0.5, 1.0, 10.0}) {
    CAPTURE(lambda);
    CHECK(std::abs(divergence(nu, y, lambda)) < 1e3 * epsilon);
    for (std::uint64_t trial = 0; trial < 5; ++trial) {
      const Tensor x = Random(13, trial).normal({8, 3}, real(0.1), 1);
      CHECK(divergence(nu, x, lambda) > 1e-3);
    }
  }
}

TEST_CASE("the self-transport of the target is that of its points, by draws where they are many") {
  const Target uniform = random_target(300, 2);
  Tensor y({300, 2});
  uniform.rows(0, 300, y.data());
  const double whole = self_transport(uniform, 0.3, 300, 0);
  CHECK(whole == doctest::Approx(value(uniform, y, 0.3)).epsilon(100 * epsilon));

  const double drawn = self_transport(uniform, 0.3, 200, 1);
  CHECK(drawn == self_transport(uniform, 0.3, 200, 1));
  CHECK(drawn != self_transport(uniform, 0.3, 200, 2));
  CHECK(drawn == doctest::Approx(whole).epsilon(0.2));

  // All the mass on two of the points: what is drawn is nearly the measure itself.
  std::vector<double> weights(300, 0);
  weights[7] = weights[90] = 0.5;
  const Target lumpy = random_target(300, 2, weights);
  CHECK(self_transport(lumpy, 0.3, 200, 0) == doctest::Approx(self_transport(lumpy, 0.3, 300, 0)).epsilon(0.02));
}

TEST_CASE("what the self-transport can't serve is an error, but NaN comes out as NaN") {
  const Target target = random_target(5, 3);
  const Tensor x = Random(12, 0).normal({4, 3}, 0, 1);
  CHECK_THROWS_WITH_AS(self_transport(target, x, 0), "[self_transport] lambda must be positive and finite: 0", Error);
  CHECK_THROWS_WITH_AS(self_transport(target, 0, 5, 0), "[self_transport] lambda must be positive and finite: 0",
                       Error);
  CHECK_THROWS_WITH_AS(self_transport(target, Tensor::zeros({4, 2}), 1),
                       "[self_transport] x must be [B, d] with d the target's dimension: [4, 2] against 3", Error);
  Tape tape;
  Var leaf = x.clone();
  tape.watch(leaf);
  const std::vector<Var> once = tape.gradient(self_transport(target, leaf, 1), {leaf}, true);
  CHECK_THROWS_WITH_AS(tape.gradient(engine::sum(once[0]), {leaf}), "[self_transport] can not be differentiated twice",
                       Error);

  Tensor bad = x.clone();
  bad.data()[5] = std::numeric_limits<real>::quiet_NaN();
  CHECK(std::isnan(value(target, bad, 1)));
}

TEST_CASE("under another ground cost the self-transport and its gradient are those of that cost" *
          doctest::skip(!engine::testing::precise)) {
  const Tensor x = Random(12, 0).normal({7, 3}, 0, 1);
  const Target target(vector_of(Random(11, 0).normal({9, 3}, 0, 1)), 9, 3,
                      Cost(CostScale::inverse_alpha, std::make_shared<PowerCost>(3)));
  for (const double lambda : {0.2, 1.0}) {
    CAPTURE(lambda);
    const auto w = [&](const std::vector<Var>& at) { return self_transport(target, at[0], lambda); };
    CHECK(engine::testing::gradient_errors(w, {x}, false).first < 1e-5);
  }
}
