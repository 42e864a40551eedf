#include "apps/learn/restricted_objective.h"

#include <cmath>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "apps/checkpoint.h"
#include "apps/methods.h"
#include "ot/semidual.h"
#include "tests/apps/learn/small_training.h"

using namespace apps::testing;
using apps::Draw;
using apps::RestrictedObjective;
using apps::TrainOptions;
using engine::Tensor;

namespace {

TrainOptions options_of(const char* branches) {
  TrainOptions options = apps::method_options("leclaire-rabin", "paper");
  options.branches = branches;
  options.dual_lr = 1;
  return options;
}

/// The inner loop of iteration n on x; copies of what is learned.
ot::NamedTensors learned(RestrictedObjective& objective, const Tensor& x, double progress, std::int64_t n = 0) {
  objective.begin(progress);
  for (std::int64_t k = 0; k < objective.steps(n); ++k) objective.step(x, Draw::dual_points, n, k);
  objective.finish();
  return copies(objective.learned());
}
ot::NamedTensors learned(const TrainOptions& options, const ot::Target& target, const Tensor& x, double progress) {
  RestrictedObjective objective(options, target);
  return learned(objective, x, progress);
}

}  // namespace

TEST_CASE("with a single cluster an inner loop is that of the single layer, and so is the loss") {
  const ot::Target target = small_target();
  TrainOptions options = options_of("1");
  const Tensor x = engine::Random(8, 1).uniform({5, dimension}, 0, 1);
  TrainOptions of_semidual = apps::preset_options("paper", "vector", "asgd");
  of_semidual.batch = 5;
  of_semidual.dual_lr = options.dual_lr;
  apps::SemidualObjective single(of_semidual, target);
  RestrictedObjective restricted(options, target);
  for (apps::Objective* objective : std::initializer_list<apps::Objective*>{&single, &restricted}) {
    objective->begin(0);
    for (std::int64_t k = 0; k < 10; ++k) objective->step(x, Draw::dual_points, 0, k);
    objective->finish();
  }
  CHECK(restricted.steps(3) == 10);
  CHECK(restricted.loss(x, {}, 0).value().item() ==
        doctest::Approx(single.loss(x, {}, 0).value().item()).epsilon(1e-5));
  CHECK_FALSE(restricted.psi());
}

TEST_CASE("a cosine schedule shortens the steps of all layers, down to a twentieth") {
  const ot::Target target = small_target();
  TrainOptions options = options_of("2");
  options.inner = 1;
  const Tensor x = engine::Random(8, 1).uniform({5, dimension}, 0, 1);
  const ot::NamedTensors whole = learned(options, target, x, 1);
  options.dual_schedule = "cosine";
  const ot::NamedTensors shortened = learned(options, target, x, 1);
  for (const std::size_t layer : {0, 1})
    for (std::size_t i = 0; i < whole[layer].second.values().size(); ++i)
      CHECK(20 * shortened[layer].second.values()[i] == doctest::Approx(whole[layer].second.values()[i]));
}

TEST_CASE("a restricted psi restored goes on with the same bits") {
  const ot::Target target = small_target();
  const TrainOptions options = options_of("3");
  const Tensor x = engine::Random(8, 1).uniform({5, dimension}, 0, 1);
  RestrictedObjective straight(options, target), resumed(options, target);
  const ot::NamedTensors middle = learned(straight, x, 0);
  CHECK(apps::bytes_of(middle) == resumed.most_state_bytes());
  resumed.restore(middle, true);
  CHECK(equal(resumed.learned(), middle));
  CHECK(equal(learned(resumed, x, 0, 1), learned(straight, x, 0, 1)));
  CHECK(resumed.moments().empty());
}
