#include "apps/learn/batch_c_transform.h"

#include <cmath>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "apps/costs.h"
#include "apps/learn/rows.h"
#include "apps/methods.h"
#include "ot/plan/pair_costs.h"
#include "ot/semidual.h"
#include "tests/apps/learn/small_training.h"
#include "tests/engine/gradient_check.h"

using namespace apps::testing;
using apps::BatchCTransform;
using apps::Draw;
using apps::TrainOptions;
using engine::Random;
using engine::Tensor;
using engine::Var;

namespace {

TrainOptions options_of(const char* search_space) {
  TrainOptions options = apps::method_options("mallasto", "paper");
  options.search_space = search_space;
  options.dual_lr = 0.01;
  return options;
}

std::unique_ptr<models::MlpCritic> network() {
  return std::make_unique<models::MlpCritic>(std::vector<std::int64_t>{dimension, 16, 1}, 5);
}

ot::Target cloud(const ot::Cost& cost) {
  const Tensor y = Random(1, 2).uniform({count, dimension}, 0, 1);
  return {std::vector<engine::real>(y.values().begin(), y.values().end()), count, dimension, cost};
}

Tensor points_of(const ot::Target& target) {
  Tensor y({count, dimension});
  target.rows(0, count, y.data());
  return y;
}

const Tensor x = Random(8, 1).uniform({count, dimension}, 0.5, 2);

Tensor gradient_of(const Tensor& at, const std::function<Var(const Var&)>& f) {
  engine::Tape tape;
  Var leaf = at;
  tape.watch(leaf);
  return tape.gradient(f(leaf), {leaf}).front().value();
}

}  // namespace

TEST_CASE("with all of the data in a batch the generator lowers H at lambda = 0, with its gradient") {
  for (const ot::Cost& cost : {ot::Cost(ot::CostScale::inverse_alpha), apps::make_cost("euclidean", 0, "one"),
                               apps::make_cost("cityblock", 0, "one")}) {
    const ot::Target target = cloud(cost);
    models::MlpCritic f({dimension, 16, 1}, 5);
    const Tensor psi = f(points_of(target)).value();
    BatchCTransform objective(options_of("data"), target, network());
    const auto loss = [&](const Var& at) { return objective.loss(at, {}, 0); };
    const auto h = [&](const Var& at) { return ot::semidual(target, at, psi, 0); };
    CHECK(loss(x).value().item() == doctest::Approx(h(x).value().item()).epsilon(1e-5));
    const Tensor found = gradient_of(x, loss), expected = gradient_of(x, h);
    for (std::size_t i = 0; i < found.values().size(); ++i)
      CHECK(found.values()[i] == doctest::Approx(expected.values()[i]).epsilon(1e-4).scale(0.1));
  }
}

TEST_CASE("a search among generated points too finds no larger minimum, and has the gradient of its values") {
  constexpr bool precise = engine::testing::precise;
  const ot::Target target = cloud(apps::make_cost("euclidean", 0, "one"));
  // f is steeper than the cost, so that some points are sent to other generated ones.
  const auto steep = [&](const char* search_space) {
    auto objective = std::make_unique<BatchCTransform>(
        options_of(search_space), target,
        std::make_unique<models::MlpCritic>(std::vector<std::int64_t>{dimension, 1}, 5));
    Tensor weight = objective->learned().front().second;
    std::ranges::fill(weight.values(), engine::real(0.7));
    return objective;
  };
  const auto both = steep("both");
  CHECK(both->loss(x, {}, 0).value().item() < steep("data")->loss(x, {}, 0).value().item() - 0.1);
  const auto errors = engine::testing::gradient_errors(
      [&](const std::vector<Var>& at) { return both->loss(at[0], {}, 0); }, {x}, false, precise ? 1e-6 : 1e-3);
  CHECK(errors.first < (precise ? 1e-5 : 1e-2));
}

TEST_CASE(
    "the penalties have the gradients of their values, and that of inequality is idle at the minimum's own pairs") {
  constexpr bool precise = engine::testing::precise;
  const ot::Target target = small_target();
  const Tensor c = ot::pair_costs(target, x, points_of(target)).value(), f = Random(8, 2).normal({count}, 0, 1),
               g = Random(8, 3).normal({count}, 0, 1);
  for (const auto penalty : {apps::equality_penalty, apps::inequality_penalty}) {
    const auto errors = engine::testing::gradient_errors(
        [&](const std::vector<Var>& at) { return penalty(c, at[0], at[1]); }, {f, g}, false, precise ? 1e-6 : 1e-3);
    CHECK(errors.first < (precise ? 1e-6 : 1e-2));
    const auto of_minimum = engine::testing::gradient_errors(
        [&](const std::vector<Var>& at) { return penalty(c, at[0], apps::batch_c_transform(c, at[0])); }, {f}, false,
        precise ? 1e-6 : 1e-3);
    CHECK(of_minimum.first < (precise ? 1e-6 : 1e-2));
  }
  CHECK(apps::inequality_penalty(c, f, apps::batch_c_transform(c, f)).value().item() < 1e-12);
  CHECK(apps::inequality_penalty(c, f, g).value().item() > 0.01);
  CHECK(apps::equality_penalty(c, f, g).value().item() > apps::inequality_penalty(c, f, g).value().item());
}

TEST_CASE("steps raise H, and bring xi down where equality weighs something") {
  const ot::Target target = small_target();
  const Tensor y = points_of(target), c = ot::pair_costs(target, x, y).value();
  const auto trained = [&](double equality) {
    TrainOptions options = options_of("data");
    options.equality_penalty = equality;
    auto objective = std::make_unique<BatchCTransform>(options, target, network());
    for (std::int64_t k = 0; k < 300; ++k) objective->step(x, Draw::dual_points, 0, k);
    return objective;
  };
  BatchCTransform start(options_of("data"), target, network());
  const auto plain = trained(0), equal = trained(20);
  CHECK(plain->loss(x, {}, 0).value().item() > start.loss(x, {}, 0).value().item());
  const auto off_equality = [&](BatchCTransform& objective) {
    models::MlpCritic f({dimension, 16, 1}, 5);
    const ot::NamedTensors state = objective.learned();
    for (std::size_t i = 0; i < state.size(); ++i) f.parameters()[i].variable->value() = state[i].second;
    const Tensor of_y = f(y).value();
    return apps::equality_penalty(c, of_y, apps::batch_c_transform(c, of_y)).value().item();
  };
  CHECK(off_equality(*equal) < 0.9 * off_equality(*plain));
}

TEST_CASE("a step goes down the inequality's penalty at pairs with other points of the data") {
  const ot::Target target = small_target();
  const Tensor some = apps::rows(x, {0, 2});
  TrainOptions options = options_of("data");
  options.inequality_penalty = 1e6;  // so that nothing else counts
  BatchCTransform objective(options, target, network());
  const apps::DataDraws draws(target);
  const Tensor y = draws(2, apps::random_draws(options.seed, Draw::dual_points, 0, 0)),
               others = draws(2, apps::random_draws(options.seed, Draw::dual_places, 0, 0));
  models::MlpCritic f({dimension, 16, 1}, 5);
  engine::Tape tape;
  std::vector<Var> parameters;
  for (const models::Parameter& p : f.parameters()) {
    tape.watch(*p.variable);
    parameters.push_back(*p.variable);
  }
  const Var of_x = apps::batch_c_transform(ot::pair_costs(target, some, y).value(), f(y));
  const Var penalty = apps::inequality_penalty(ot::pair_costs(target, some, others).value(), f(others), of_x);
  REQUIRE(penalty.value().item() > 1e-3);
  const std::vector<Var> slopes = tape.gradient(penalty, parameters);
  objective.step(some, Draw::dual_points, 0, 0);
  const ot::NamedTensors moved = objective.learned();
  for (std::size_t p = 0; p < parameters.size(); ++p)
    for (std::int64_t i = 0; i < parameters[p].size(); ++i) {
      const double slope = slopes[p].value().data()[i];
      if (std::abs(slope) < 1e-4) continue;
      // Adam's first step is as long as the rate.
      const double by = moved[p].second.data()[i] - parameters[p].value().data()[i];
      CHECK(by == doctest::Approx(std::copysign(options.dual_lr, -slope)).epsilon(1e-3));
    }
}
