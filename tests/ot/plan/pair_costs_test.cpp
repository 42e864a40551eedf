#include "ot/plan/pair_costs.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "ot/cityblock_cost.h"
#include "ot/power_cost.h"
#include "tests/engine/gradient_check.h"
#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;
using engine::Var;

namespace {

const std::vector<std::shared_ptr<const GroundCost>>& grounds() {
  static const std::vector<std::shared_ptr<const GroundCost>> all{nullptr, std::make_shared<PowerCost>(1),
                                                                  std::make_shared<CityblockCost>()};
  return all;
}

}  // namespace

TEST_CASE("the costs between two batches are those of a target on one of them, far from 0 too") {
  const Tensor x = Random(1, 0).uniform({5, 3}, 10, 11), y = Random(1, 1).uniform({4, 3}, 10, 11);
  for (const auto& ground : grounds()) {
    const Target target(vector_of(y), 4, 3, {0.7, ground});
    const Tensor costs = pair_costs(x, y, 0.7, ground).value();
    for (std::int64_t i = 0; i < 5; ++i)
      for (std::int64_t j = 0; j < 4; ++j)
        CHECK(costs.data()[i * 4 + j] == doctest::Approx(target.cost(x.data() + i * 3, j)).epsilon(1e-4));
  }
}

TEST_CASE("no squared distance is below 0, and points that are not finite are seen") {
  const Tensor x = Random(2, 0).normal({40, 7}, 3, 1);
  const Tensor costs = pair_costs(x, x, 1, nullptr).value();
  for (const real cost : costs.values()) CHECK(cost >= 0);
  CHECK(std::isnan(pair_costs(Tensor::full({1, 2}, NAN), Tensor::zeros({1, 2}), 1, nullptr).value().item()));
}

TEST_CASE("the gradients in both batches are those of differences" * doctest::skip(!engine::testing::precise)) {
  const Tensor x = Random(3, 0).normal({5, 3}, 0, 1), y = Random(3, 1).normal({4, 3}, 0, 1);
  for (const auto& ground : grounds()) {
    CAPTURE(static_cast<const void*>(ground.get()));
    engine::testing::check_gradients([&](const std::vector<Var>& at) { return pair_costs(at[0], at[1], 0.7, ground); },
                                     {x, y}, !ground);
    engine::testing::check_gradients([&](const std::vector<Var>& at) { return pair_costs(at[0], at[0], 2, ground); },
                                     {x}, !ground);
  }
}

TEST_CASE("points of different dimensions are refused, and so is a second gradient of a ground cost") {
  CHECK_THROWS_WITH_AS(pair_costs(Tensor::zeros({2, 3}), Tensor::zeros({2, 4}), 1, nullptr),
                       "[pair_costs] x must be [n, d] and y [m, d]: [2, 3] and [2, 4]", engine::Error);
  engine::Tape tape;
  Var x = Tensor::zeros({3, 2});
  tape.watch(x);
  const Var costs = sum(pair_costs(x, Tensor::full({3, 2}, 1), 1, grounds()[1]));
  const Var gradient = sum(tape.gradient(costs, {x}, true).front());
  CHECK_THROWS_WITH_AS(tape.gradient(gradient, {x}), "[pair_costs] can not be differentiated twice", engine::Error);
}
