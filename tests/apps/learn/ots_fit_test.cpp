#include "apps/learn/ots_fit.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "apps/checkpoint.h"
#include "apps/methods.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "ot/c_transform.h"
#include "ot/semidual.h"
#include "tests/apps/learn/small_training.h"

using namespace apps::testing;
using apps::Draw;
using apps::OtsFit;
using apps::TrainOptions;
using engine::Tensor;
using engine::Var;

namespace {

TrainOptions options_of(std::int64_t replay, std::int64_t inner, std::int64_t batch = 5) {
  TrainOptions options = apps::method_options("chen", "paper");
  options.replay = replay;
  options.inner = inner;
  options.batch = batch;
  options.settle = 1e-9;  // never
  options.dual_lr = 0.01;
  options.mlp_sizes = TrainOptions().mlp_sizes;
  return options;
}

/// x of inner step k.
Tensor batch(std::int64_t k, std::int64_t rows = 5) {
  return engine::Random(8, static_cast<std::uint64_t>(k)).uniform({rows, dimension}, 0, 1);
}

/// An inner loop before iteration n, until it settles; the steps made.
std::int64_t fit(OtsFit& objective, std::int64_t n, std::int64_t rows = 5, double progress = 0) {
  std::int64_t k = 0;
  objective.begin(progress);
  while (k < objective.steps(n)) {
    objective.step(batch(1000 * n + k, rows), Draw::dual_points, n, k);
    ++k;
    if (objective.settled()) break;
  }
  objective.finish();
  return k;
}

double loss(OtsFit& objective, const Tensor& x, std::int64_t n) {
  return objective.loss(x, {}, n).value().item();
}

}  // namespace

TEST_CASE("the gradient of a fitting step is the semi-dual's (53), at the psi that the hits were found by") {
  const ot::Target target = small_target();
  OtsFit objective(options_of(1, 6), target);
  objective.begin(0);
  Tensor psi;
  for (std::int64_t k = 0; k < 6; ++k) {
    psi = objective.psi()->clone();
    objective.step(batch(k), Draw::dual_points, 0, k);
  }
  objective.finish();
  const auto gradient = [&](const auto& loss) {
    engine::Tape tape;
    Var x = batch(5);
    tape.watch(x);
    return tape.gradient(loss(x), {x}).front().value();
  };
  const Tensor fitted = gradient([&](const Var& x) { return objective.loss(x, {}, 0); });
  const Tensor dual = gradient([&](const Var& x) { return ot::semidual(target, x, psi, 0); });
  for (std::int64_t i = 0; i < fitted.size(); ++i)
    CHECK(fitted.data()[i] == doctest::Approx(dual.data()[i]).epsilon(1e-5));
  CHECK(std::ranges::any_of(psi.values(), [](engine::real value) { return value != 0; }));
}

TEST_CASE("fitted, psi has each point hit as often as it weighs") {
  std::vector<engine::real> points{0, 0, 0, 0.2, 0, 0, 1, 1, 1, 0.5, 1, 0};
  for (const std::vector<double>& weights :
       {std::vector<double>{0.25, 0.25, 0.25, 0.25}, std::vector<double>{0.1, 0.4, 0, 0.5}}) {
    const ot::Target target(points, 4, dimension, ot::CostScale::one, weights);
    TrainOptions options = options_of(40, 2000);
    options.dual_schedule = "cosine";
    OtsFit objective(options, target);
    for (std::int64_t n = 0; n <= 400; n += 40) fit(objective, n, 5, static_cast<double>(n) / 400);
    const Tensor x = batch(-1, 20000);
    const ot::CTransform found = ot::c_transform(target, x, *objective.psi(), 0, {.mass = true});
    for (std::size_t j = 0; j < weights.size(); ++j)
      CHECK(found.mass.values()[j] == doctest::Approx(weights[j]).epsilon(0.1).scale(0.1));
  }
}

TEST_CASE("a round fits once and then takes its last batches again, one an iteration") {
  const ot::Target target = small_target();
  OtsFit objective(options_of(3, 5), target);
  CHECK(objective.steps(0) == 5);
  CHECK(objective.steps(1) == 0);
  CHECK(objective.steps(3) == 5);
  CHECK(fit(objective, 3) == 5);
  for (const std::int64_t n : {3, 4, 5}) {
    CHECK(objective.replayed(n)->n == 3);
    CHECK(objective.replayed(n)->k == n - 3 + 2);
  }

  // Where the loop is the replay alone its first hits are those of psi = 0.
  const auto generator = make_mlp(facts, 3);
  const TrainOptions options = options_of(1, 1);
  apps::Alternate algorithm(options, apps::latent_law(options), *generator, std::make_unique<OtsFit>(options, target));
  const Tensor z = apps::latents(apps::latent_law(options), options.seed, Draw::dual_batch, 0, 0, options.batch);
  const Tensor nearest = ot::c_transform(target, (*generator)(z).value(), Tensor::zeros({count}), 0).value;
  double mean = 0;
  for (const engine::real value : nearest.values()) mean += value / 5;
  CHECK(algorithm.iterate() == doctest::Approx(mean).epsilon(1e-5));
}

TEST_CASE("an inner loop ends once all groups are hit as often as they weigh, tested each so many steps") {
  const ot::Target target = small_target();
  TrainOptions options = options_of(200, 4000);
  OtsFit never(options, target);
  CHECK(fit(never, 0) == 4000);
  options.settle = 100;
  OtsFit lax(options, target);
  CHECK(fit(lax, 0) == 200);
  options.settle = 0.05;
  OtsFit usual(options, target);
  const std::int64_t steps = fit(usual, 0);
  CHECK(steps > 200);
  CHECK(steps < 4000);
  CHECK(steps % 200 == 0);
  CHECK(usual.replayed(7)->k == steps - 200 + 7);
}

TEST_CASE("hits and psi restored amid a round go on with the same bits, which do not depend on the threads") {
  const ot::Target target = small_target();
  const TrainOptions options = options_of(3, 5);
  OtsFit straight(options, target);
  const std::int64_t most = straight.most_state_bytes();
  straight.begin(0);
  straight.step(batch(77), Draw::warmup_points, 0, 0);
  fit(straight, 0);
  ot::NamedTensors middle = copies(straight.learned());
  for (auto& named : copies(straight.moments())) middle.push_back(named);
  CHECK(apps::bytes_of(middle) == most);

  engine::set_threads(2);
  OtsFit resumed(options, target);
  resumed.restore(middle, true);
  CHECK(resumed.replayed(2)->k == 4);
  CHECK(loss(resumed, batch(5), 2) == loss(straight, batch(5), 2));
  fit(resumed, 3);
  engine::set_threads(1);
  fit(straight, 3);
  CHECK(equal(straight.learned(), resumed.learned()));
  CHECK(equal(straight.moments(), resumed.moments()));
  middle.pop_back();
  CHECK_THROWS_WITH_AS(resumed.restore(middle, true), "tensor psi.steps [] is missing", engine::Error);

  // What a checkpoint says is not believed.
  const auto hits = std::ranges::find(middle, "hits", &ot::NamedTensors::value_type::first);
  REQUIRE(hits != middle.end());
  hits->second.data()[0] = static_cast<engine::real>(target.size());
  CHECK_THROWS_WITH_AS(resumed.restore(middle, false), doctest::Contains("tensor hits numbers a point that is none of"),
                       engine::Error);
  CHECK_THROWS_WITH_AS(OtsFit(options, target).replayed(1), doctest::Contains("tells of 0 steps, fewer than the 3 of"),
                       engine::Error);
}

TEST_CASE("a fit that pauses is no iteration, and goes on with the same bits, there and where its state is restored") {
  const ot::Target target = small_target();
  const TrainOptions options = options_of(3, 5);
  const auto on = [&](models::Generator& generator) -> apps::Alternate {
    return {options, apps::latent_law(options), generator, std::make_unique<OtsFit>(options, target)};
  };
  for (const std::int64_t n : {0, 3})
    for (const int made : {1, 2, 4}) {
      CAPTURE(n);
      CAPTURE(made);
      const auto straight_theta = make_mlp(facts, 3), paused_theta = make_mlp(facts, 3), other = make_mlp(facts, 99);
      apps::Alternate straight = on(*straight_theta), paused = on(*paused_theta), resumed = on(*other);
      for (std::int64_t before = 0; before < n; ++before) CHECK(straight.iterate() == paused.iterate());
      int asked = 0;
      const auto until = [&] { return ++asked < made; };
      CHECK_FALSE(paused.iterate(0, until).has_value());
      CHECK(asked == made);
      CHECK(paused.iterations() == n);
      const ot::NamedTensors state = copies(paused.state());
      CHECK(apps::bytes_of(state) <= paused.most_state_bytes());
      resumed.restore(state, n);
      CHECK(equal(state, resumed.state()));

      const double loss = straight.iterate();
      CHECK(resumed.iterate() == loss);
      CHECK(paused.iterate() == loss);
      CHECK(equal(straight.state(), resumed.state()));
      CHECK(equal(straight.state(), paused.state()));
    }

  const auto theta = make_mlp(facts, 3);
  apps::Alternate whole = on(*theta);
  ot::NamedTensors state = copies(whole.state());
  state.emplace_back("dual.inner.steps", Tensor::scalar(5));
  CHECK_THROWS_WITH_AS(whole.restore(state, 0), doctest::Contains("tensor dual.inner.steps tells of 5 steps"),
                       engine::Error);
}

TEST_CASE("a row without a hit makes the loss NaN, and moves no point") {
  const ot::Target target = small_target();
  OtsFit objective(options_of(1, 1), target);
  objective.begin(0);
  objective.step(Tensor::full({5, dimension}, NAN), Draw::dual_points, 0, 0);
  for (const engine::real value : objective.psi()->values()) CHECK(value == 0);
  CHECK(std::isnan(loss(objective, batch(0), 0)));
}
