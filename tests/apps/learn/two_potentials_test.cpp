#include "apps/learn/two_potentials.h"

#include <cmath>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "apps/methods.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "ot/c_transform.h"
#include "ot/plan/pair_costs.h"
#include "ot/semidual.h"
#include "ot/sinkhorn/batch_transport.h"
#include "tests/apps/learn/small_training.h"
#include "tests/engine/gradient_check.h"

using namespace apps::testing;
using apps::DensityPenalty;
using apps::Draw;
using apps::dual_of_potentials;
using apps::plan_density;
using apps::plan_of_potentials;
using apps::TrainOptions;
using apps::TwoPotentials;
using engine::Random;
using engine::Tensor;
using engine::Var;

namespace {

constexpr double lambda = 0.3;

/// All of the target's points, and as many others, with potentials at both.
struct Pairs {
  ot::Target target = small_target();
  Tensor y{{count, dimension}}, x = Random(8, 1).uniform({count, dimension}, 0.5, 2), c,
                                v = Random(8, 2).normal({count}, 0, 1), u = Random(8, 3).normal({count}, 0, 1);
  Pairs() {
    target.rows(0, count, y.data());
    c = ot::pair_costs(target, x, y).value();
  }
};

TrainOptions options_of(const char* method, const char* gradient) {
  TrainOptions options = apps::method_options(method, "paper");
  options.generator_gradient = gradient;
  options.lambda = 0.1;
  options.dual_lr = 0.005;
  options.adam_beta1 = 0.9;
  return options;
}

TwoPotentials potentials(const TrainOptions& options, const ot::Target& target) {
  const auto network = [](const char* name) {
    return std::make_unique<models::MlpCritic>(std::vector<std::int64_t>{dimension, 32, 32, 1}, 5, name);
  };
  return {options, target, network("u"), network("v")};
}

Tensor gradient_of(const Var& at, const std::function<Var(const Var&)>& f) {
  engine::Tape tape;
  Var leaf = at;
  tape.watch(leaf);
  return tape.gradient(f(leaf), {leaf}).front().value();
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.values().size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a.values()[i]) - static_cast<double>(b.values()[i])));
  return largest;
}

}  // namespace

TEST_CASE("where u is the c-transform of v the entropic dual is H(v), its u-gradient 0, and any other u gives less") {
  const Pairs p;
  const Tensor u = ot::c_transform(p.target, p.x, p.v, lambda, {}).value;
  const auto dual = [&](const Var& of_x) {
    return dual_of_potentials(of_x, p.v, p.c, DensityPenalty::entropy, lambda);
  };
  const double h = ot::semidual(p.target, p.x, p.v, lambda).value().item();
  CHECK(dual(u).value().item() == doctest::Approx(h).epsilon(1e-5));
  for (const Tensor slopes = gradient_of(u, dual); const engine::real slope : slopes.values())
    CHECK(std::abs(slope) < 1e-5);
  for (const double step : {0.02, 0.5, 30.0}) {
    const Var other = u + Random(9, 1).normal({count}, 0, static_cast<engine::real>(step));
    CHECK(dual(other).value().item() < h);
  }
}

TEST_CASE("there the plan's pull on x is the gradient of the semi-dual, and rows have it whatever u is") {
  const Pairs p;
  const Tensor u = ot::c_transform(p.target, p.x, p.v, lambda, {}).value;
  const Tensor expected = gradient_of(p.x, [&](const Var& x) { return ot::semidual(p.target, x, p.v, lambda); });
  for (const bool rows : {false, true}) {
    const Tensor plan = plan_of_potentials(rows ? p.u : u, p.v, p.c, DensityPenalty::entropy, lambda, rows);
    const Tensor pull = gradient_of(p.x, [&](const Var& x) { return sum(plan * ot::pair_costs(p.target, x, p.y)); });
    CHECK(largest_difference(pull, expected) < (engine::testing::precise ? 1e-12 : 1e-5));
  }
}

TEST_CASE("the l2 dual's maximum has a plan of exact marginals, worth its cost and lambda times its mean square") {
  const Pairs p;
  Tensor u = Tensor::zeros({count}), v = Tensor::zeros({count});
  for (int k = 0; k < 20000; ++k) {
    engine::Tape tape;
    Var at_u = u, at_v = v;
    tape.watch(at_u);
    tape.watch(at_v);
    const Var dual = dual_of_potentials(at_u, at_v, p.c, DensityPenalty::l2, lambda);
    const std::vector<Var> slopes = tape.gradient(dual, {at_u, at_v});
    u = (at_u + slopes[0]).value();
    v = (at_v + slopes[1]).value();
  }
  const Var density = plan_density(u, v, p.c, DensityPenalty::l2, lambda);
  for (const int axis : {0, 1})
    for (const Tensor masses = mean(density, {axis}).value(); const engine::real mass : masses.values())
      CHECK(mass == doctest::Approx(1).epsilon(1e-4));
  const double primal = (mean(density * p.c) + lambda * mean(density * density)).value().item();
  CHECK(dual_of_potentials(u, v, p.c, DensityPenalty::l2, lambda).value().item() ==
        doctest::Approx(primal).epsilon(1e-4));
  // Then rows have their mass as they are.
  const auto plan = [&](bool rows) { return plan_of_potentials(u, v, p.c, DensityPenalty::l2, lambda, rows); };
  CHECK(largest_difference(plan(true), plan(false)) < 1e-5);
}

TEST_CASE("both duals have the gradients of their values") {
  constexpr bool precise = engine::testing::precise;
  const Pairs p;
  for (const DensityPenalty penalty : {DensityPenalty::entropy, DensityPenalty::l2}) {
    const auto errors = engine::testing::gradient_errors(
        [&](const std::vector<Var>& at) { return dual_of_potentials(at[0], at[1], p.c, penalty, lambda); }, {p.u, p.v},
        false, precise ? 1e-6 : 1e-3);
    CHECK(errors.first < (precise ? 1e-6 : 1e-2));
  }
}

TEST_CASE("potentials far too large have a dual and gradients that are numbers") {
  const Pairs p;
  const Tensor far = Tensor::full({count}, 1000);
  const auto dual = [&](const Var& u) { return dual_of_potentials(u, p.v, p.c, DensityPenalty::entropy, 1e-3); };
  CHECK(std::isfinite(dual(far).value().item()));
  for (const Tensor slopes = gradient_of(far, dual); const engine::real slope : slopes.values())
    CHECK(slope == doctest::Approx((1.0 - count) / count));  // densities of `count` in place of 1
  for (const bool rows : {false, true})
    for (const Tensor plan = plan_of_potentials(far, p.v, p.c, DensityPenalty::entropy, 1e-3, rows);
         const engine::real mass : plan.values())
      CHECK(std::isfinite(mass));
  // Far too small ones have no plan under l2, and so no pull.
  const Tensor none = plan_of_potentials(Tensor::full({count}, -1000), p.v, p.c, DensityPenalty::l2, lambda, true);
  for (const engine::real mass : none.values()) CHECK(mass == 0);
}

TEST_CASE("networks come close to the transport between the batches, from below") {
  const Pairs p;
  const double transport = ot::batch_transport(ot::pair_costs(p.target, p.x, p.y), {.lambda = 0.1}).value().item();
  TrainOptions options = options_of("sanjabi", "potential");
  options.dual_schedule = "cosine";
  TwoPotentials learned = potentials(options, p.target);
  for (const double progress : {0.0, 0.5, 0.9, 1.0}) {
    learned.begin(progress);
    for (std::int64_t k = 0; k < 300; ++k) learned.step(p.x, Draw::dual_points, 0, k);
  }
  const double dual = learned.loss(p.x, {}, 0).value().item();
  CHECK(dual < transport * (1 + 1e-3));
  CHECK(dual > 0.97 * transport);
}

TEST_CASE("by its potential x follows u, by the plan the plan's cost, which is what is told") {
  const Pairs p;
  for (const char* gradient : {"potential", "plan", "rows"}) {
    TrainOptions options = options_of("seguy", gradient);
    TwoPotentials learned = potentials(options, p.target);
    for (std::int64_t k = 0; k < 100; ++k) learned.step(p.x, Draw::dual_points, 0, k);
    models::MlpCritic u({dimension, 32, 32, 1}, 0, "u"), v({dimension, 32, 32, 1}, 0, "v");
    const ot::NamedTensors state = learned.learned();
    std::size_t i = 0;
    for (models::Critic* critic : {&u, &v})
      for (const models::Parameter& parameter : critic->parameters()) {
        CHECK(state[i].first == parameter.name);
        parameter.variable->value() = state[i++].second;
      }
    const Tensor of_x = u(p.x).value(), of_y = v(p.y).value();
    const bool by_plan = options.generator_gradient != "potential";
    const Tensor plan =
        plan_of_potentials(of_x, of_y, p.c, DensityPenalty::l2, 0.1, options.generator_gradient == "rows");
    const auto expected = [&](const Var& x) {
      return by_plan ? sum(plan * ot::pair_costs(p.target, x, p.y))
                     : mean(u(x)) + (dual_of_potentials(of_x, of_y, p.c, DensityPenalty::l2, 0.1) - mean(Var(of_x)));
    };
    // The batch is all of the data, in an order of its own.
    const auto loss = [&](const Var& x) { return learned.loss(x, {}, 0); };
    CHECK(loss(p.x).value().item() == doctest::Approx(expected(p.x).value().item()).epsilon(1e-4));
    CHECK(largest_difference(gradient_of(p.x, loss), gradient_of(p.x, expected)) < 1e-5);
  }
}

TEST_CASE(
    "the barycentric source is normal with the data's mean and covariance, and x goes to where the plan sends it") {
  const Pairs p;
  const apps::DataGaussian gaussian(p.target);
  constexpr std::int64_t draws = 40000;
  const Tensor z = Random(4, 4).normal({draws, dimension}, 0, 1), s = gaussian(z);
  for (std::int64_t a = 0; a < dimension; ++a) {
    double mean_of_s = 0;
    for (std::int64_t i = 0; i < draws; ++i) mean_of_s += s.data()[i * dimension + a] / draws;
    CHECK(mean_of_s == doctest::Approx(p.target.mean()[static_cast<std::size_t>(a)]).epsilon(0.02));
    for (std::int64_t b = 0; b < dimension; ++b) {
      double expected = 0, covariance = 0;
      const auto mean_at = [&](std::int64_t c) { return double(p.target.mean()[static_cast<std::size_t>(c)]); };
      for (std::int64_t j = 0; j < count; ++j)
        expected += (p.y.data()[j * dimension + a] - mean_at(a)) * (p.y.data()[j * dimension + b] - mean_at(b)) / count;
      for (std::int64_t i = 0; i < draws; ++i)
        covariance += (s.data()[i * dimension + a] - mean_at(a)) * (s.data()[i * dimension + b] - mean_at(b)) / draws;
      CHECK(covariance == doctest::Approx(expected).epsilon(0.03).scale(0.05));
    }
  }

  TrainOptions options = options_of("seguy", "barycentric");
  options.latent_dim = dimension;
  TwoPotentials learned = potentials(options, p.target);
  CHECK(learned.of_latents());
  const Tensor latent = Random(4, 5).normal({count, dimension}, 0, 1);
  for (std::int64_t k = 0; k < 500; ++k) learned.step(latent, Draw::dual_points, 0, k);
  // The gradient 2 scale (mass x - sum pi y) is 0 at one x for each row alone, where masses are 1 / B.
  Tensor x = p.x.clone();
  for (int k = 0; k < 3000; ++k) {
    const Tensor slope = gradient_of(x, [&](const Var& at) { return learned.loss(at, latent, 0); });
    x = (x - Var(slope)).value();
  }
  const Tensor found = gradient_of(x, [&](const Var& at) { return learned.loss(at, latent, 0); });
  CHECK(largest_difference(found, Tensor::zeros(found.shape())) < 1e-4);
  CHECK(learned.loss(x, latent, 0).value().item() < learned.loss(p.x, latent, 0).value().item());

  options.latent_dim = 10;
  CHECK_THROWS_WITH_AS(potentials(options, p.target),
                       "--generator-gradient barycentric has latent points for the source: take --latent normal, "
                       "--latent-scale 1 and --latent-dim 3, the coordinates of a point",
                       engine::Error);
}
