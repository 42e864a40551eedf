#include "apps/learn/batch_transport.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "apps/costs.h"
#include "apps/methods.h"
#include "engine/error.h"
#include "engine/ops/reduce.h"
#include "tests/apps/learn/small_training.h"
#include "tests/engine/gradient_check.h"

using namespace apps::testing;
using apps::batch_transport;
using apps::BatchTransport;
using apps::TrainOptions;
using engine::Random;
using engine::Tensor;
using engine::Var;

namespace {

TrainOptions options_of(const char* method, double lambda, const char* loss = "transport") {
  TrainOptions options = apps::method_options(method, "best");
  options.lambda = lambda;
  options.loss = loss;
  return options;
}

ot::Target cloud(std::int64_t points, std::uint64_t stream, const ot::Cost& cost = ot::CostScale::one) {
  const Tensor y = Random(2, stream).uniform({points, 2}, 0, 1);
  return {std::vector<engine::real>(y.values().begin(), y.values().end()), points, 2, cost};
}

/// The mean over some iterations of the loss between batches of m points of the target's own law.
double mean_loss(const TrainOptions& options, std::int64_t m) {
  const ot::Target target = cloud(512, 7);
  BatchTransport objective(options, target);
  double sum = 0;
  constexpr int batches = 40;
  for (int n = 0; n < batches; ++n)
    sum += objective.loss(Random(4, static_cast<std::uint64_t>(n)).uniform({m, 2}, 0, 1), {}, n).value().item();
  return sum / batches;
}

}  // namespace

TEST_CASE("transport between batches of one point is the cost, for any lambda, and so is a divergence") {
  const ot::Target one = cloud(1, 1);
  const Tensor x({1, 2}, std::vector<engine::real>{2, -1});
  const double cost = one.cost(x.data(), 0);
  CHECK(batch_transport(one, x, 0).value().item() == doctest::Approx(cost));
  CHECK(batch_transport(one, x, 0.3).value().item() == doctest::Approx(cost));
  BatchTransport divergence(options_of("genevay", 0.3, "sinkhorn-divergence"), one);
  CHECK(divergence.loss(x, {}, 0).value().item() == doctest::Approx(cost));
}

TEST_CASE("a batch of all points is the exact cost, and the divergence of a batch to itself is 0") {
  const ot::Target all = cloud(12, 1);
  Tensor y({12, 2});
  all.rows(0, 12, y.data());
  BatchTransport exact(options_of("fatras", 0), all);
  CHECK(exact.loss(y, {}, 3).value().item() == doctest::Approx(0).scale(1));
  Tensor moved = y.clone();
  for (engine::real& value : moved.values()) value += 2;  // then the plan moves each point by as much
  CHECK(exact.loss(moved, {}, 3).value().item() == doctest::Approx(8).epsilon(1e-5));

  BatchTransport divergence(options_of("genevay", 0.05, "sinkhorn-divergence"), all);
  CHECK(std::abs(divergence.loss(y, {}, 3).value().item()) < 1e-4);
  CHECK(batch_transport(all, y, 0.05).value().item() > 0.01);
}

TEST_CASE("between batches of one law the cost is above 0, and falls with the batch") {
  for (const double lambda : {0.0, 0.05}) {
    const TrainOptions options = options_of(lambda > 0 ? "genevay" : "fatras", lambda);
    const double few = mean_loss(options, 8), more = mean_loss(options, 64);
    CHECK(few > more);
    CHECK(more > 0);
  }
}

TEST_CASE("the gradient with the plan held fixed is that of the value, at lambda = 0 where the plan does not change") {
  constexpr bool precise = engine::testing::precise;
  const ot::Cost euclidean = apps::make_cost("euclidean", 0, "one");
  for (const ot::Cost& cost : {ot::Cost(ot::CostScale::inverse_alpha), euclidean}) {
    const ot::Target target = cloud(9, 3, cost);
    // Near enough for each point to go to its own.
    Tensor x({9, 2});
    target.rows(0, 9, x.data());
    x = (Var(x) + Random(5, 1).normal({9, 2}, 0, engine::real(0.03))).value();
    for (const double lambda : {0.0, 0.2}) {
      CAPTURE(lambda);
      const auto errors = engine::testing::gradient_errors(
          [&](const std::vector<Var>& at) { return batch_transport(target, at[0], lambda); }, {x}, false,
          precise ? 1e-5 : 5e-4);
      CHECK(errors.first < (precise ? 1e-4 : 1e-2));
    }
  }
}

TEST_CASE("points that are no longer finite come out as NaN, and sizes that do not fit are refused") {
  const ot::Target target = cloud(4, 1);
  CHECK(std::isnan(batch_transport(target, Tensor::full({3, 2}, NAN), 0).value().item()));
  CHECK_THROWS_AS(batch_transport(target, Tensor::zeros({3, 5}), 0), engine::Error);
  engine::Tape tape;
  Var x = Tensor::zeros({3, 2});
  tape.watch(x);
  const Var gradient = sum(tape.gradient(batch_transport(target, x, 0), {x}, true).front());
  CHECK_THROWS_WITH_AS(tape.gradient(gradient, {x}), "[batch_transport] can not be differentiated twice",
                       engine::Error);
}
