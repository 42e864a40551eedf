#include "apps/learn/pair_costs.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "apps/costs.h"
#include "engine/error.h"
#include "engine/ops/reduce.h"
#include "tests/apps/learn/small_training.h"
#include "tests/engine/gradient_check.h"

using namespace apps::testing;
using apps::pair_costs;
using apps::plan_cost;
using engine::Random;
using engine::Tensor;
using engine::Var;

namespace {

std::vector<ot::Cost> all_costs() {
  return {ot::CostScale::inverse_alpha, apps::make_cost("euclidean", 0, "one"), apps::make_cost("cityblock", 0, "half"),
          apps::make_cost("power", 1.5, "alpha")};
}

ot::Target cloud(const ot::Cost& cost) {
  const Tensor y = Random(1, 2).uniform({count, dimension}, 0, 1);
  return {std::vector<engine::real>(y.values().begin(), y.values().end()), count, dimension, cost};
}

const Tensor x = Random(3, 1).uniform({4, dimension}, 0, 1), pi = Random(3, 2).uniform({4, count}, 0, 0.1f);

}  // namespace

TEST_CASE("costs of pairs are the target's, and the plan's cost their mean") {
  for (const ot::Cost& cost : all_costs()) {
    const ot::Target target = cloud(cost);
    Tensor y({count, dimension});
    target.rows(0, count, y.data());
    const Tensor c = pair_costs(target, x, y);
    double expected = 0;
    for (std::int64_t i = 0; i < 4; ++i)
      for (std::int64_t j = 0; j < count; ++j) {
        const double of_pair = target.cost(x.data() + i * dimension, j);
        CHECK(c.data()[i * count + j] == doctest::Approx(of_pair).epsilon(1e-5));
        expected += pi.data()[i * count + j] * of_pair;
      }
    CHECK(plan_cost(target, x, y, pi).value().item() == doctest::Approx(expected).epsilon(1e-5));
  }
}

TEST_CASE("the plan's cost has the gradient of its values on both sides, also where both are of the same points") {
  constexpr bool precise = engine::testing::precise;
  const Tensor y = Random(4, 1).uniform({count, dimension}, 2, 3), square = Random(4, 2).uniform({4, 4}, 0, 0.1f);
  for (const ot::Cost& cost : all_costs()) {
    const ot::Target target = cloud(cost);
    const auto error = [&](const engine::testing::Function& f, const std::vector<Tensor>& at) {
      return engine::testing::gradient_errors(f, at, false, precise ? 1e-5 : 1e-3).first;
    };
    const double of_both =
        error([&](const std::vector<Var>& at) { return plan_cost(target, at[0], at[1], pi); }, {x, y});
    CHECK(of_both < (precise ? 1e-6 : 2e-3));
    if (precise)  // no step of a difference in real is so small that no coordinates pass each other
      CHECK(error([&](const std::vector<Var>& at) { return plan_cost(target, at[0], at[0], square); }, {x}) < 1e-6);
  }
}

TEST_CASE("points that are no numbers cost none, and what does not fit is refused") {
  const ot::Target target = small_target();
  for (const ot::Cost& cost : all_costs())
    CHECK(std::isnan(pair_costs(cloud(cost), Tensor::full({1, dimension}, NAN), x).data()[0]));
  CHECK_THROWS_WITH_AS(pair_costs(target, x, Tensor::zeros({2, 5})),
                       "[pair_costs] points must be [B, 3]: [4, 3] and [2, 5]", engine::Error);
  CHECK_THROWS_WITH_AS(plan_cost(target, x, x, pi), "[plan_cost] the plan must be [4, 4]: [4, 7]", engine::Error);
  engine::Tape tape;
  Var at = x;
  tape.watch(at);
  const Var gradient = sum(tape.gradient(plan_cost(target, at, x, Tensor::full({4, 4}, 1)), {at}, true).front());
  CHECK_THROWS_WITH_AS(tape.gradient(gradient, {at}), "[plan_cost] can not be differentiated twice", engine::Error);
}
