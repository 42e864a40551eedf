#include "ot/sinkhorn/batch_transport.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "ot/plan/pair_costs.h"
#include "tests/engine/gradient_check.h"
#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;
using engine::Tape;
using engine::Var;

namespace {

constexpr bool precise = engine::testing::precise;

Tensor costs_of(std::int64_t n, std::int64_t m, std::uint64_t stream = 0) {
  return pair_costs(Random(1, 2 * stream).uniform({n, 2}, 0, 1), Random(1, 2 * stream + 1).uniform({m, 2}, 0, 1), 1,
                    nullptr)
      .value();
}

double value(const Tensor& costs, const BatchPlan& plan) {
  return batch_transport(costs, plan).value().item();
}

/// The gradient in the costs: where the plan is held, the plan.
Tensor gradient(const Tensor& costs, const BatchPlan& plan) {
  Tape tape;
  Var c = costs;
  tape.watch(c);
  return tape.gradient(batch_transport(c, plan), {c}).front().value();
}

double inner(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) sum += double(a.data()[i]) * b.data()[i];
  return sum;
}

}  // namespace

TEST_CASE("the transport between two points is their cost, whatever is taken of it") {
  const Tensor cost = Tensor::full({1, 1}, 0.75);
  for (const BatchPlan& plan : {BatchPlan{},
                                {.lambda = 0.3},
                                {.lambda = 0.3, .sharp = true},
                                {.lambda = 0.3, .unrolled = 1},
                                {.lambda = 0.3, .sharp = true, .unrolled = 2}})
    CHECK(value(cost, plan) == doctest::Approx(0.75));
}

TEST_CASE("an exact plan moves each point to its own") {
  const Tensor costs(engine::Shape{2, 2}, std::vector<real>{1, 5, 5, 2});
  CHECK(value(costs, {}) == doctest::Approx(1.5));
  const Tensor plan = gradient(costs, {});
  CHECK(plan.data()[0] == real(0.5));
  CHECK(plan.data()[1] == 0);
}

TEST_CASE("a sharp value is the plan's mean cost, below the entropic value, and both have the plan for a gradient") {
  const Tensor costs = costs_of(8, 5);
  const BatchPlan entropic{.lambda = 0.1}, sharp{.lambda = 0.1, .sharp = true};
  const Tensor plan = gradient(costs, entropic);
  CHECK(value(costs, sharp) == doctest::Approx(inner(plan, costs)).epsilon(1e-4));
  CHECK(value(costs, sharp) < value(costs, entropic));
  CHECK(value(costs, sharp) > value(costs, {}));
  CHECK(inner(gradient(costs, sharp), plan) == doctest::Approx(inner(plan, plan)));
  for (std::int64_t i = 0; i < 8; ++i) {
    double row = 0;
    for (std::int64_t j = 0; j < 5; ++j) row += plan.data()[i * 5 + j];
    CHECK(row == doctest::Approx(1.0 / 8));
  }
}

TEST_CASE("the plan held is the gradient of the entropic value, and not of the sharp one" * doctest::skip(!precise)) {
  const Tensor costs = costs_of(6, 7);
  const auto error = [&](const BatchPlan& plan) {
    return engine::testing::gradient_errors([&](const std::vector<Var>& at) { return batch_transport(at[0], plan); },
                                            {costs}, false, 1e-4)
        .first;
  };
  CHECK(error({.lambda = 0.1}) < 1e-3);
  CHECK(error({.lambda = 0.1, .sharp = true}) > 0.02);
}

TEST_CASE("gradients through few iterations are those of differences, twice too" * doctest::skip(!precise)) {
  const Tensor costs = costs_of(6, 7);
  for (const bool sharp : {false, true})
    engine::testing::check_gradients(
        [&](const std::vector<Var>& at) {
          return batch_transport(at[0], {.lambda = 0.2, .sharp = sharp, .unrolled = 3});
        },
        {costs});
}

TEST_CASE("many unrolled iterations come to the plan's values, and the entropic value's gradient to the plan") {
  const Tensor costs = costs_of(9, 9);
  const BatchPlan held{.lambda = 0.1}, unrolled{.lambda = 0.1, .unrolled = 200};
  CHECK(value(costs, unrolled) == doctest::Approx(value(costs, held)).epsilon(1e-3));
  CHECK(value(costs, {.lambda = 0.1, .sharp = true, .unrolled = 200}) ==
        doctest::Approx(value(costs, {.lambda = 0.1, .sharp = true})).epsilon(1e-3));
  const Tensor plan = gradient(costs, held), through = gradient(costs, unrolled);
  for (std::int64_t i = 0; i < plan.size(); ++i)
    CHECK(through.data()[i] == doctest::Approx(plan.data()[i]).epsilon(1e-2).scale(1e-2));
}

TEST_CASE("what has diverged comes out as NaN, and plans that can't be are refused") {
  CHECK(std::isnan(value(Tensor::full({3, 2}, NAN), {})));
  CHECK(std::isnan(value(Tensor::full({3, 2}, INFINITY), {.lambda = 1, .unrolled = 2})));
  CHECK_THROWS_WITH_AS(value(Tensor::zeros({3}), {}), "[batch_transport] costs must be [n, m]: [3]", engine::Error);
  CHECK_THROWS_WITH_AS(value(costs_of(2, 2), {.unrolled = 3}),
                       "[batch_transport] unrolled iterations need a lambda above 0: 0", engine::Error);
  Tape tape;
  Var costs = costs_of(3, 3);
  tape.watch(costs);
  const Var slope = sum(tape.gradient(batch_transport(costs, {}), {costs}, true).front());
  CHECK_THROWS_WITH_AS(tape.gradient(slope, {costs}), "[batch_transport] can not be differentiated twice",
                       engine::Error);
}
