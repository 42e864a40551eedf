#include "apps/learn/logistic_critic.h"

#include <cmath>
#include <memory>
#include <numbers>
#include <vector>

#include <doctest/doctest.h>

#include "apps/methods.h"
#include "tests/apps/learn/small_training.h"

using namespace apps::testing;
using apps::Draw;
using apps::LogisticCritic;
using apps::TrainOptions;
using engine::Tensor;

namespace {

TrainOptions options_of() {
  TrainOptions options = apps::method_options("gan", "paper");
  options.batch = 8;
  options.dual_lr = 0.02;
  return options;
}

std::unique_ptr<models::MlpCritic> critic_of(std::vector<std::int64_t> sizes) {
  return std::make_unique<models::MlpCritic>(sizes, 5);
}

/// Points on the line, `ones` at 1 and the others at 0.
std::vector<engine::real> zeros_and_ones(std::int64_t zeros, std::int64_t ones) {
  std::vector<engine::real> points(static_cast<std::size_t>(zeros), 0);
  points.insert(points.end(), static_cast<std::size_t>(ones), 1);
  return points;
}

}  // namespace

TEST_CASE("the critic ends at the log of the laws' density ratio, and the generator's loss follows from it") {
  // Of the data 6 of 8 lie at 0, of what is generated 2 of 8: f is log 3 there and -log 3 at 1.
  const ot::Target target(zeros_and_ones(6, 2), 8, 1, ot::CostScale::one);
  const Tensor x({8, 1}, zeros_and_ones(2, 6));
  LogisticCritic critic(options_of(), target, critic_of({1, 1}));
  for (std::int64_t k = 0; k < 1500; ++k) critic.step(x, Draw::dual_points, 0, k);
  const ot::NamedTensors learned = critic.learned();
  const double slope = learned[0].second.item(), at_0 = learned[1].second.item();
  CHECK(at_0 == doctest::Approx(std::log(3)).epsilon(1e-3));
  CHECK(at_0 + slope == doctest::Approx(-std::log(3)).epsilon(1e-3));
  CHECK(critic.loss(x, {}, 0).value().item() ==
        doctest::Approx((2 * std::log(4.0 / 3) + 6 * std::log(4.0)) / 8).epsilon(1e-3));
}

TEST_CASE("a critic that is 0 has the generator at log 2, and one that is sure gives a gradient all the same") {
  const ot::Target target = small_target();
  LogisticCritic critic(options_of(), target, critic_of({dimension, 1}));
  const ot::NamedTensors f = critic.learned();
  Tensor weight = f[0].second, bias = f[1].second;  // the memory in use
  std::ranges::fill(weight.values(), engine::real{0});
  std::ranges::fill(bias.values(), engine::real{0});
  const Tensor x = engine::Random(8, 1).uniform({4, dimension}, 0, 1);
  CHECK(critic.loss(x, {}, 0).value().item() == doctest::Approx(std::numbers::ln2));

  std::ranges::fill(weight.values(), engine::real{1});
  std::ranges::fill(bias.values(), engine::real{-50});
  engine::Tape tape;
  engine::Var at = x;
  tape.watch(at);
  const Tensor gradient = tape.gradient(critic.loss(at, {}, 0), {at}).front().value();
  for (const engine::real value : gradient.values()) CHECK(value == doctest::Approx(-0.25));
}
