#include "apps/learn/learned_features.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "apps/checkpoint.h"
#include "apps/methods.h"
#include "engine/error.h"
#include "engine/parallel.h"
#include "ot/plan/pair_costs.h"
#include "ot/sinkhorn/batch_transport.h"
#include "tests/apps/learn/small_training.h"

using namespace apps::testing;
using apps::Draw;
using apps::LearnedFeatures;
using apps::TrainOptions;
using engine::Tensor;
using engine::Var;

namespace {

TrainOptions options_of(double lambda = 0.1) {
  TrainOptions options = apps::method_options("liu-features", "paper");
  options.lambda = lambda;
  options.dual_lr = 0.01;
  options.seed = 3;
  return options;
}

std::unique_ptr<models::MlpCritic> network(const std::vector<std::int64_t>& sizes, std::uint64_t seed = 5) {
  return std::make_unique<models::MlpCritic>(sizes, seed);
}

/// f(x) = a x
std::unique_ptr<models::MlpCritic> multiple(engine::real a) {
  auto f = network({dimension, dimension});
  const auto parameters = f->parameters();
  std::ranges::fill(parameters[0].variable->value().values(), engine::real{0});
  std::ranges::fill(parameters[1].variable->value().values(), engine::real{0});
  for (std::int64_t c = 0; c < dimension; ++c) parameters[0].variable->value().data()[c * (dimension + 1)] = a;
  return f;
}

Tensor points(std::uint64_t stream, engine::real low = 0, engine::real high = 1) {
  return engine::Random(8, stream).uniform({5, dimension}, low, high);
}

double value(const Var& loss) {
  return loss.value().item();
}

void steps(LearnedFeatures& features, const Tensor& x, std::int64_t number) {
  features.begin(0);
  for (std::int64_t k = 0; k < number; ++k) features.step(x, Draw::dual_points, 0, k);
  features.finish();
}

}  // namespace

TEST_CASE("where all features are equal the triplet loss is the margin, and the generator's is 0") {
  const ot::Target target = small_target();
  LearnedFeatures features(options_of(), target, multiple(0));
  CHECK(value(features.triplet_loss(points(1), points(2), points(3))) == doctest::Approx(5));
  CHECK(value(features.loss(points(1), {}, 0)) == doctest::Approx(0));
}

TEST_CASE("the triplet loss is by the transport between features, and 0 beyond the margin") {
  const ot::Target target = small_target();
  LearnedFeatures features(options_of(), target, multiple(2));
  const Tensor x = points(1), y = points(2), other = points(3);
  const auto transport = [&](const Tensor& a, const Tensor& b) {
    return value(ot::batch_transport(ot::pair_costs(a, b, 4, nullptr), {.lambda = 0.1, .sharp = true}));
  };
  CHECK(value(features.triplet_loss(x, y, other)) ==
        doctest::Approx(transport(y, other) - transport(y, x) + 5).epsilon(1e-3));
  CHECK(value(features.triplet_loss(points(1, 9, 10), y, other)) == 0);
  TrainOptions half = options_of();
  half.cost_scale = "half";
  half.margin = 0;
  const Tensor far = points(1, -2, -1);
  CHECK(value(LearnedFeatures(half, target, multiple(2)).triplet_loss(other, y, far)) ==
        doctest::Approx(0.5 * (transport(y, far) - transport(y, other))).epsilon(1e-2));
}

TEST_CASE("steps make features that tell what is generated from the data, until it is the margin apart") {
  const ot::Target target = small_target();
  LearnedFeatures features(options_of(), target, network({dimension, 12, 2}));
  const Tensor x = points(1, 0.5, 1.5);
  const double before = value(features.loss(x, {}, 0));
  steps(features, x, 300);
  CHECK(before < 1);
  CHECK(value(features.loss(x, {}, 0)) > 4);
  const ot::NamedTensors settled = copies(features.learned());
  features.step(points(1, 50, 60), Draw::dual_points, 0, 0);  // far beyond the margin
  double moved = 0;
  for (std::size_t t = 0; t < settled.size(); ++t)
    for (std::int64_t i = 0; i < settled[t].second.size(); ++i)
      moved = std::max(moved, std::abs(double(settled[t].second.data()[i]) - features.learned()[t].second.data()[i]));
  CHECK(moved == 0);
}

TEST_CASE("the generator's gradient leads towards the data") {
  const ot::Target target = small_target();
  LearnedFeatures features(options_of(), target, multiple(1));
  engine::Tape tape;
  Var x = points(1, 3, 4);
  tape.watch(x);
  const Tensor slope = tape.gradient(features.loss(x, {}, 0), {x}).front().value();
  for (const engine::real s : slope.values()) CHECK(s > 0);
}

TEST_CASE("learned features restored go on with the same bits, which do not depend on the threads") {
  const ot::Target target = small_target();
  for (const char* optimizer : {"rmsprop", "adam"}) {
    TrainOptions options = options_of();
    options.optimizer = optimizer;
    const Tensor x = points(2, 0, 2);
    LearnedFeatures straight(options, target, network({3, 40, 2}));
    const std::int64_t most = straight.most_state_bytes();
    steps(straight, x, 3);
    ot::NamedTensors middle = copies(straight.learned());
    for (auto& named : copies(straight.moments())) middle.push_back(named);
    CHECK(apps::bytes_of(middle) == most);
    steps(straight, x, 2);

    engine::set_threads(2);
    LearnedFeatures resumed(options, target, network({3, 40, 2}, 99));
    resumed.restore(middle, true);
    steps(resumed, x, 2);
    engine::set_threads(1);
    CHECK(equal(straight.learned(), resumed.learned()));
    CHECK(equal(straight.moments(), resumed.moments()));
    middle.pop_back();
    CHECK_THROWS_WITH_AS(resumed.restore(middle, true), "tensor critic.steps [] is missing", engine::Error);
  }
}

TEST_CASE("a cost scaled by the data's mean is refused for learned features") {
  const ot::Target target = small_target();
  TrainOptions options = options_of();
  options.cost_scale = "alpha";
  CHECK_THROWS_WITH_AS(LearnedFeatures(options, target, multiple(1)),
                       "--cost-scale alpha is a mean over the data, and the features of --method liu-features change: "
                       "take one or half",
                       engine::Error);
}
