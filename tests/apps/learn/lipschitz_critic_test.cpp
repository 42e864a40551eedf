#include "apps/learn/lipschitz_critic.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "apps/methods.h"
#include "engine/ops/reduce.h"
#include "tests/apps/learn/small_training.h"
#include "tests/engine/gradient_check.h"

using namespace apps::testing;
using apps::Draw;
using apps::LipschitzCritic;
using apps::TrainOptions;
using engine::Tensor;
using engine::Var;

namespace {

TrainOptions options_of(const char* method) {
  TrainOptions options = apps::method_options(method, "paper");
  options.batch = count;  // all of the data in each step
  options.seed = 3;
  return options;
}

std::unique_ptr<models::MlpCritic> linear_critic() {
  return std::make_unique<models::MlpCritic>(std::vector<std::int64_t>{dimension, 1}, 5);
}

Tensor generated() {
  return engine::Random(8, 1).uniform({count, dimension}, 0.5, 2);
}

/// The mean of the data less that of the generated points.
std::vector<double> difference(const ot::Target& target, const Tensor& x) {
  Tensor y({count, dimension});
  target.rows(0, count, y.data());
  std::vector<double> delta(dimension);
  for (std::int64_t i = 0; i < count * dimension; ++i)
    delta[static_cast<std::size_t>(i % dimension)] += (static_cast<double>(y.data()[i]) - x.data()[i]) / count;
  return delta;
}

void steps(LipschitzCritic& critic, const Tensor& x, std::int64_t number, double progress = 0) {
  critic.begin(progress);
  for (std::int64_t k = 0; k < number; ++k) critic.step(x, Draw::dual_points, 0, k);
  critic.finish();
}

}  // namespace

TEST_CASE(
    "a clipped linear critic ends in the corner a = c sign of the means' difference, K W1 there is c its 1-norm") {
  const ot::Target target = small_target();
  TrainOptions options = options_of("wgan");
  options.dual_lr = 1e-3;
  LipschitzCritic critic(options, target, linear_critic());
  const Tensor x = generated();
  const std::vector<double> delta = difference(target, x);
  steps(critic, x, 2000);
  const Tensor a = critic.learned().front().second;
  double norm = 0;
  for (std::size_t c = 0; c < delta.size(); ++c) {
    norm += std::abs(delta[c]);
    CHECK(a.values()[c] == doctest::Approx(std::copysign(options.clip, delta[c])));
  }
  CHECK(critic.loss(x, {}, 0).value().item() == doctest::Approx(options.clip * norm).epsilon(1e-4));
}

TEST_CASE("after each step no weight of a clipped critic is beyond the bound, and the penalised are not bounded") {
  const ot::Target target = small_target();
  for (const char* method : {"wgan", "wgan-gp"}) {
    TrainOptions options = options_of(method);
    options.dual_lr = 0.05;
    LipschitzCritic critic(options, target, std::make_unique<models::MlpCritic>(std::vector<std::int64_t>{3, 8, 1}, 5));
    double largest = 0;
    for (std::int64_t k = 0; k < 5; ++k) {
      critic.step(generated(), Draw::dual_points, 0, k);
      for (const auto& [name, tensor] : critic.learned())
        for (const engine::real value : tensor.values()) largest = std::max(largest, std::abs(double(value)));
    }
    CHECK((largest <= 0.01 * (1 + 1e-6)) == (options.clip > 0));
  }
}

TEST_CASE("a penalised linear critic has the slope 1 + |means' difference| / (2 penalty), along that difference") {
  const ot::Target target = small_target();
  TrainOptions options = options_of("wgan-gp");
  options.penalty = 0.7;
  options.dual_lr = 0.02;
  options.dual_schedule = "cosine";
  LipschitzCritic critic(options, target, linear_critic());
  const Tensor x = generated();
  const std::vector<double> delta = difference(target, x);
  for (const double progress : {0.0, 0.5, 0.9, 1.0}) steps(critic, x, 500, progress);
  const Tensor a = critic.learned().front().second;
  double norm = 0, slope = 0, inner = 0;
  for (std::size_t c = 0; c < delta.size(); ++c) {
    norm += delta[c] * delta[c], slope += double(a.values()[c]) * a.values()[c], inner += delta[c] * a.values()[c];
  }
  norm = std::sqrt(norm), slope = std::sqrt(slope);
  CHECK(slope == doctest::Approx(1 + norm / (2 * options.penalty)).epsilon(1e-3));
  CHECK(inner == doctest::Approx(norm * slope).epsilon(1e-3));
}

TEST_CASE("the penalty's gradient in the critic's parameters is that of differences") {
  models::MlpCritic f({dimension, 6, 5, 1}, 2);
  const Tensor z = generated();
  const auto penalty = [&] {
    engine::Tape tape;
    return LipschitzCritic::gradient_penalty(tape, f, z).value().item();
  };
  engine::Tape tape;
  std::vector<Var> parameters;
  for (const models::Parameter& p : f.parameters()) {
    tape.watch(*p.variable);
    parameters.push_back(*p.variable);
  }
  const std::vector<Var> gradients = tape.gradient(LipschitzCritic::gradient_penalty(tape, f, z), parameters);
  constexpr double step = engine::testing::precise ? 1e-6 : 1e-3, off = engine::testing::precise ? 1e-5 : 1e-2;
  for (std::size_t p = 0; p < parameters.size(); ++p)
    for (std::int64_t i = 0; i < parameters[p].size(); ++i) {
      engine::real& value = f.parameters()[p].variable->value().data()[i];
      const engine::real before = value;
      value = static_cast<engine::real>(before + step);
      const double above = penalty();
      value = static_cast<engine::real>(before - step);
      const double below = penalty();
      value = before;
      CHECK(gradients[p].value().data()[i] == doctest::Approx((above - below) / (2 * step)).epsilon(off).scale(0.1));
    }
}

TEST_CASE("the penalty of a constant critic is 1, with gradients that are numbers") {
  models::MlpCritic f({dimension, 1}, 2);
  const Tensor weight = f.parameters()[0].variable->value();
  std::ranges::fill(f.parameters()[0].variable->value().values(), engine::real{0});
  engine::Tape tape;
  tape.watch(*f.parameters()[0].variable);
  const Var penalty = LipschitzCritic::gradient_penalty(tape, f, generated());
  CHECK(penalty.value().item() == doctest::Approx(1).epsilon(1e-5));
  const Tensor gradient = tape.gradient(penalty, {*f.parameters()[0].variable}).front().value();
  for (const engine::real value : gradient.values()) CHECK(std::isfinite(value));
}

TEST_CASE("with a burst the first iterations and each 500th have as many steps of the critic") {
  const ot::Target target = small_target();
  TrainOptions options = options_of("wgan");
  const LipschitzCritic critic(options, target, linear_critic());
  for (const std::int64_t n : {0, 24, 500, 1000}) CHECK(critic.steps(n) == 100);
  for (const std::int64_t n : {25, 499, 501}) CHECK(critic.steps(n) == 5);
  options.critic_burst = 0;
  CHECK(LipschitzCritic(options, target, linear_critic()).steps(0) == 5);
}

TEST_CASE("batches of the data have points as often as they weigh") {
  std::vector<engine::real> points{0, 1, 2, 3};
  const ot::Target nu(points, 4, 1, ot::CostScale::one, {0.5, 0, 0.125, 0.375});
  const apps::DataDraws draws(nu);
  std::vector<double> hits(4);
  constexpr int drawn = 20000;
  const Tensor y = draws(drawn, engine::Random(1, 1));
  for (const engine::real value : y.values()) hits[static_cast<std::size_t>(value)] += 1.0 / drawn;
  CHECK(hits[1] == 0);
  for (const std::size_t j : {0, 2, 3}) CHECK(hits[j] == doctest::Approx(nu.weights()[j]).epsilon(0.03));

  const ot::Target uniform(points, 4, 1, ot::CostScale::one);
  Tensor all = apps::DataDraws(uniform)(4, engine::Random(1, 2));
  std::ranges::sort(all.values());
  CHECK(std::ranges::equal(all.values(), points));
}
