#include "ot/assigned_cost.h"

#include <cmath>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/ops/reduce.h"
#include "engine/parallel.h"
#include "ot/cityblock_cost.h"
#include "tests/engine/gradient_check.h"
#include "tests/ot/oracle.h"

using namespace ot::testing;
using engine::Var;

TEST_CASE("the cost to given points is the mean of c, with its gradient by differences") {
  constexpr std::int64_t rows = 40;  // more than one thread's
  const Tensor y = Random(1, 1).uniform({6, 3}, 0, 1), x = Random(1, 2).uniform({rows, 3}, 1, 2);
  std::vector<std::int64_t> to{5, 0, 0, 3};
  to.resize(rows, 2);
  engine::set_threads(2);
  for (const ot::Cost& cost :
       {ot::Cost(ot::CostScale::half), ot::Cost(ot::CostScale::one, std::make_shared<ot::CityblockCost>())}) {
    const ot::Target target(vector_of(y), 6, 3, cost);
    double mean = 0;
    for (std::size_t i = 0; i < std::size_t{rows}; ++i) mean += target.cost(x.data() + 3 * i, to[i]) / rows;
    CHECK(ot::assigned_cost(target, x, to).value().item() == doctest::Approx(mean).epsilon(1e-6));
    const auto errors = engine::testing::gradient_errors(
        [&](const std::vector<Var>& at) { return ot::assigned_cost(target, at[0], to); }, {x}, false,
        engine::testing::precise ? 1e-5 : 1e-2);
    CHECK(errors.first < (engine::testing::precise ? 1e-6 : 1e-3));
  }
  engine::set_threads(1);
}

TEST_CASE("a row without a point has no cost, and what does not fit is refused") {
  const Tensor y = Random(1, 1).uniform({6, 3}, 0, 1);
  const ot::Target target(vector_of(y), 6, 3, ot::CostScale::one);
  const std::vector<std::int64_t> to{5, -1};
  CHECK(std::isnan(ot::assigned_cost(target, Tensor::zeros({2, 3}), to).value().item()));
  CHECK_THROWS_WITH_AS(ot::assigned_cost(target, Tensor::zeros({3, 3}), to),
                       "[assigned_cost] x must be [2, 3] for 2 points of the target: [3, 3]", engine::Error);
  engine::Tape tape;
  Var x = Tensor::zeros({2, 3});
  tape.watch(x);
  const Var gradient = sum(tape.gradient(ot::assigned_cost(target, x, to), {x}, true).front());
  CHECK_THROWS_WITH_AS(tape.gradient(gradient, {x}), "[assigned_cost] can not be differentiated twice", engine::Error);
}
