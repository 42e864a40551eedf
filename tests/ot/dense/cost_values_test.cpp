#include "ot/dense/cost_values.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include "ot/c_transform.h"
#include "ot/cityblock_cost.h"
#include "ot/power_cost.h"
#include "ot/semidual.h"
#include "tests/engine/gradient_check.h"
#include "tests/ot/near_ties.h"
#include "tests/ot/thread_counts.h"

using namespace ot;
using namespace ot::testing;
using engine::Var;

namespace {
constexpr Wanted everything{.gradient = true, .mass = true};
constexpr double lambdas[] = {0, 1e-3, 0.025, 0.1, 1, 10};

/// log(1 + ||x - y||^2), to which far points hardly add: the struct that ot/README.md shows.
struct LogCost : ot::GroundCost {
  double value(ot::Point x, ot::Point y) const override {
    double square = 0;
    for (std::size_t c = 0; c < x.size(); ++c) square += (x[c] - y[c]) * (x[c] - y[c]);
    return std::log1p(square);
  }
  void add_gradient(ot::Point x, ot::Point y, real weight, std::span<real> gradient) const override {
    const double slope = 2 * weight * std::exp(-value(x, y));  // gradient += weight grad_x
    for (std::size_t c = 0; c < x.size(); ++c) gradient[c] += static_cast<real>(slope * (x[c] - y[c]));
  }
};

PlainCost plain_log() {
  return {[](std::span<const Exact> difference) { return std::log1p(squared_norm(difference)); },
          [](std::span<Exact> difference) {
            const Exact square = squared_norm(difference);
            for (Exact& c : difference) c *= 2 / (1 + square);
          }};
}

struct Named {
  std::string name;
  std::shared_ptr<const GroundCost> cost;
  PlainCost plain;
};

std::vector<Named> costs() {
  std::vector<Named> result{{"cityblock", std::make_shared<CityblockCost>(), plain_cityblock()},
                            {"log", std::make_shared<LogCost>(), plain_log()}};
  for (const double p : {1.0, 1.5, 2.0, 3.0})
    result.push_back({"power " + std::to_string(p), std::make_shared<PowerCost>(p), plain_power(p)});
  return result;
}

struct Case {
  Tensor y, x, psi;
  std::vector<double> weights = {};

  Target target(const std::shared_ptr<const GroundCost>& cost, CostScale scale = CostScale::inverse_alpha) const {
    return Target(vector_of(y), y.dim(0), y.dim(1), {scale, cost}, weights);
  }
};

Case random_case(std::int64_t batch, std::int64_t count, std::int64_t dimension, real offset = 0) {
  return {Random(5, 0).normal({count, dimension}, offset, 1), Random(5, 1).normal({batch, dimension}, offset, 1),
          Random(5, 2).normal({count}, 0, real(0.2))};
}

void check(const Case& c, const Named& named, CostScale scale = CostScale::inverse_alpha, double size = 4) {
  CAPTURE(named.name);
  const Target target = c.target(named.cost, scale);
  const std::vector<double> weights(target.weights().begin(), target.weights().end());
  for (const double lambda : lambdas) {
    CAPTURE(lambda);
    const Oracle oracle(vector_of(c.y), weights, named.plain, target.scale(), c.x, c.psi, lambda);
    const CTransform result = c_transform(target, c.x, c.psi, lambda, everything);
    const double rounding = 64 * epsilon * size * std::sqrt(static_cast<double>(c.x.dim(1)) + 1);
    const double share = lambda == 0 ? 0 : std::min(1.0, rounding / lambda);  // relative error of a responsibility
    CHECK(distance(result.value, oracle.value) <=
          rounding + 4 * epsilon * lambda * std::log(static_cast<double>(c.y.dim(0)) + 1));
    CHECK(result.winners == oracle.winners);
    CHECK(distance(result.mass, oracle.mass) <= share + 4 * epsilon);
    CHECK(distance(result.gradient, oracle.gradient) <= size * (8 * share + 100 * epsilon));
  }
}
}  // namespace

TEST_CASE("c-transforms for any cost agree with their definition") {
  for (const Named& named : costs()) {
    for (const std::int64_t count : {1, 511, 1100}) check(random_case(3, count, 3), named);
    check(random_case(257, 9, 2), named);
    check(random_case(3, 60, 100), named, CostScale::inverse_alpha, 10);
  }
}

TEST_CASE("the scales of a cost are 1, 1/2 and 1 over its mean from zero") {
  const Case c = random_case(4, 50, 3);
  for (const Named& named : costs()) {
    check(c, named, CostScale::one, 40);
    check(c, named, CostScale::half, 20);
    CHECK(c.target(named.cost, CostScale::half).scale() == 0.5);
    const Target target = c.target(named.cost);
    Exact alpha = 0;
    for (std::int64_t j = 0; j < 50; ++j) {
      std::vector<Exact> from_zero;
      for (std::int64_t k = 0; k < 3; ++k) from_zero.push_back(-Exact(c.y.data()[j * 3 + k]));
      alpha += named.plain.value(from_zero) / 50;
    }
    CHECK(target.alpha() == doctest::Approx(static_cast<double>(alpha)).epsilon(20 * epsilon));
    CHECK(target.scale() == 1 / target.alpha());
  }
  const std::vector<real> zeros(6);
  CHECK_THROWS_WITH_AS(Target(zeros, 3, 2, {CostScale::inverse_alpha, std::make_shared<PowerCost>(1)}),
                       doctest::Contains("not all zero, or nearly"), engine::Error);
}

TEST_CASE("for any cost, points of weight zero are outside the support") {
  Case c = random_case(3, 600, 3);
  double sum = 0;
  for (std::int64_t j = 0; j < 600; ++j)
    sum += c.weights.emplace_back(j % 3 == 1 ? 0 : Random(6, 0).uniform(static_cast<std::uint64_t>(j)) + 0.01);
  for (double& weight : c.weights) weight /= sum;
  c.psi.data()[1] = std::numeric_limits<real>::quiet_NaN();
  for (const Named& named : costs()) check(c, named);
}

TEST_CASE("for any cost, of equal points the lowest index wins") {
  Case c = random_case(6, 1500, 13);
  c.psi = Tensor::zeros({1500});
  for (std::int64_t j = 750; j < 1500; ++j) std::copy_n(c.y.data() + (j - 750) * 13, 13, c.y.data() + j * 13);
  for (const Named& named : costs())
    for (const std::int64_t winner : c_transform(c.target(named.cost), c.x, c.psi, 0).winners) CHECK(winner < 750);
}

TEST_CASE("winners are told apart that are nearer than others by less than a cost may err") {
  /// ||x - y||^2, where those of every other pair err by half of what is allowed.
  struct CoarseCost : GroundCost {
    double value(ot::Point x, ot::Point y) const override { return square.value(x, y); }
    void add_gradient(ot::Point x, ot::Point y, real weight, std::span<real> gradient) const override {
      square.add_gradient(x, y, weight, gradient);
    }
    void values(Rows x, Rows y, real* values) const override {
      square.values(x, y, values);
      for (std::int64_t k = 0; k < x.count * y.count; ++k)
        values[k] *= static_cast<real>(1 + (k / y.count + k % y.count) % 2 * 500 * epsilon);
    }
    PowerCost square{2};
  };
  constexpr std::int64_t count = 600, d = 40, batch = 30;
  const NearTies ties(batch, count, d, static_cast<real>(10 * epsilon));
  const Tensor psi = Tensor::zeros({count});
  const Oracle oracle(ties.reals, std::vector<double>(count, 1.0 / count), 1, ties.x, psi, 0);
  const Target target(ties.reals, count, d, {CostScale::one, std::make_shared<CoarseCost>()});
  CHECK(c_transform(target, ties.x, psi, 0).winners == oracle.winners);
}

TEST_CASE("a query on a point has cost 0 to it and, for lambda = 0, gradient 0; for lambda > 0 all stays finite") {
  Case c = random_case(3, 600, 5, 50);
  std::copy_n(c.y.data() + 555 * 5, 5, c.x.data() + 2 * 5);
  c.psi = Tensor::zeros({600});
  for (const Named& named : costs()) {
    CAPTURE(named.name);
    const CTransform hard = c_transform(c.target(named.cost), c.x, c.psi, 0, everything);
    CHECK(hard.winners[2] == 555);
    CHECK(hard.value.data()[2] == 0);
    for (int k = 0; k < 5; ++k) CHECK(hard.gradient.data()[2 * 5 + k] == 0);
    check(c, named, CostScale::one, 200);
  }
}

TEST_CASE("8-bit points have the costs of byte / 255") {
  std::vector<std::uint8_t> bytes(700 * 10);
  Case c = random_case(7, 700, 10);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(Random(8, 0).bits(i));
    c.y.data()[i] = static_cast<real>(bytes[i]) * (real{1} / 255);
  }
  c.x = Random(8, 1).uniform({7, 10}, 0, 1);
  for (const Named& named : costs()) {
    const Cost cost{CostScale::inverse_alpha, named.cost};
    const Target target(bytes, 700, 10, cost), reals(vector_of(c.y), 700, 10, cost);
    for (const double lambda : {0.0, 0.1}) {
      const CTransform a = c_transform(target, c.x, c.psi, lambda, everything);
      const CTransform b = c_transform(reals, c.x, c.psi, lambda, everything);
      CHECK(distance(a.value, b.value) < 20 * epsilon);
      CHECK(distance(a.gradient, b.gradient) < 400 * epsilon);
      CHECK(a.winners == b.winners);
    }
  }
}

TEST_CASE("the square of the Euclidean norm as a power is the quadratic cost") {
  const Case c = random_case(30, 700, 8);
  const Target quadratic = c.target(nullptr), power = c.target(std::make_shared<PowerCost>(2));
  CHECK(power.alpha() == doctest::Approx(quadratic.alpha()).epsilon(20 * epsilon));
  for (const double lambda : lambdas) {
    const CTransform a = c_transform(quadratic, c.x, c.psi, lambda, everything);
    const CTransform b = c_transform(power, c.x, c.psi, lambda, everything);
    const double share = lambda == 0 ? 0 : 200 * epsilon / lambda;
    CHECK(distance(a.value, b.value) < 100 * epsilon * (1 + lambda));
    CHECK(distance(a.gradient, b.gradient) < 100 * epsilon + share);
    CHECK(distance(a.mass, b.mass) < 4 * epsilon + share);
    CHECK(a.winners == b.winners);
  }
}

TEST_CASE("for any cost, the gradients of H are those of finite differences" *
          doctest::skip(!engine::testing::precise)) {
  const Case c = random_case(6, 40, 4);
  for (const Named& named : costs()) {
    CAPTURE(named.name);
    const Target target = c.target(named.cost);
    for (const double lambda : {0.0, 0.025, 0.1, 1.0}) {
      const auto h = [&](const std::vector<Var>& at) { return semidual(target, at[0], at[1], lambda); };
      CHECK(engine::testing::gradient_errors(h, {c.x, c.psi}, false, 1e-6).first < 1e-6);
    }
  }
}

TEST_CASE("c-transforms for any cost do not depend on the number of threads, nor on what else is wanted") {
  const Case c = random_case(70, 2000, 5);
  for (const Named& named : costs()) {
    CAPTURE(named.name);
    const Target target = c.target(named.cost);
    for (const double lambda : {0.0, 0.05}) {
      const CTransform all = checked_on_threads(target, c.x, c.psi, lambda);
      CHECK(same(all.value, c_transform(target, c.x, c.psi, lambda).value));
      CHECK(same(all.gradient, c_transform(target, c.x, c.psi, lambda, {.gradient = true}).gradient));
      CHECK(same(all.mass, c_transform(target, c.x, c.psi, lambda, {.mass = true}).mass));
    }
  }
}

TEST_CASE("for any cost, NaN comes out as NaN") {
  const real nan = std::numeric_limits<real>::quiet_NaN();
  const Case c = random_case(5, 600, 3);
  for (const Named& named : costs()) {
    CAPTURE(named.name);
    const Target target = c.target(named.cost);
    for (const double lambda : {0.0, 1e-3, 0.1}) {
      const CTransform clean = c_transform(target, c.x, c.psi, lambda, everything);
      Tensor x = c.x.clone();
      x.data()[3 * 3 + 1] = nan;
      const CTransform row = c_transform(target, x, c.psi, lambda, everything);
      for (int i = 0; i < 5; ++i) {
        CHECK(std::isnan(row.value.data()[i]) == (i == 3));
        CHECK(std::isnan(row.gradient.data()[3 * i]) == (i == 3));
        if (i != 3) CHECK(row.value.data()[i] == clean.value.data()[i]);
      }
      CHECK(std::all_of(row.mass.values().begin(), row.mass.values().end(), [](real m) { return std::isnan(m); }));
      if (lambda == 0) CHECK(row.winners[3] == -1);

      Tensor psi = c.psi.clone();
      psi.data()[577] = nan;
      const CTransform all = c_transform(target, c.x, psi, lambda, everything);
      for (const Tensor& tensor : {all.value, all.gradient, all.mass})
        CHECK(std::all_of(tensor.values().begin(), tensor.values().end(), [](real v) { return std::isnan(v); }));
    }
  }
}
