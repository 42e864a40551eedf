#include "apps/learn/batch_transport.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "apps/costs.h"
#include "apps/methods.h"
#include "engine/error.h"
#include "tests/apps/learn/small_training.h"
#include "tests/engine/gradient_check.h"

using namespace apps::testing;
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

Tensor points_of(const ot::Target& target) {
  Tensor y({target.size(), target.dimension()});
  target.rows(0, target.size(), y.data());
  return y;
}

/// The mean over some iterations of the loss between batches of m points of the target's own law.
double mean_loss(const TrainOptions& options, std::int64_t m, int iterations = 40) {
  const ot::Target target = cloud(512, 7);
  BatchTransport objective(options, target);
  double sum = 0;
  for (int n = 0; n < iterations; ++n)
    sum += objective.loss(Random(4, static_cast<std::uint64_t>(n)).uniform({m, 2}, 0, 1), {}, n).value().item();
  return sum / iterations;
}

/// The gradient of a loss in the generated points.
Tensor gradient(BatchTransport& objective, const Tensor& at) {
  engine::Tape tape;
  Var x = at;
  tape.watch(x);
  return tape.gradient(objective.loss(x, {}, 0), {x}).front().value();
}

}  // namespace

TEST_CASE("the transport between batches of one point is the cost, for any lambda, and so is a divergence") {
  const ot::Target one = cloud(1, 1);
  const Tensor x({1, 2}, std::vector<engine::real>{2, -1});
  const double cost = one.cost(x.data(), 0);
  for (const double lambda : {0.0, 0.3})
    CHECK(BatchTransport(options_of("fatras", lambda), one).loss(x, {}, 0).value().item() == doctest::Approx(cost));
  TrainOptions divergence = options_of("genevay", 0.3, "sinkhorn-divergence");
  for (const char* value : {"entropic", "sharp"})
    for (const std::int64_t unrolled : {0, 2}) {
      divergence.plan_value = value, divergence.unrolled = unrolled;
      CHECK(BatchTransport(divergence, one).loss(x, {}, 0).value().item() == doctest::Approx(cost));
    }
}

TEST_CASE("a batch of all points is the exact cost, and the divergence of a batch to itself is 0") {
  const ot::Target all = cloud(12, 1);
  const Tensor y = points_of(all);
  BatchTransport exact(options_of("fatras", 0), all);
  CHECK(exact.loss(y, {}, 3).value().item() == doctest::Approx(0).scale(1));
  Tensor moved = y.clone();
  for (engine::real& value : moved.values()) value += 2;  // then the plan moves each point by as much
  CHECK(exact.loss(moved, {}, 3).value().item() == doctest::Approx(8).epsilon(1e-5));

  TrainOptions options = options_of("genevay", 0.05, "sinkhorn-divergence");
  for (const char* value : {"entropic", "sharp"}) {
    options.plan_value = value;
    CHECK(std::abs(BatchTransport(options, all).loss(y, {}, 3).value().item()) < 1e-4);
  }
  CHECK(BatchTransport(options_of("fatras", 0.05), all).loss(y, {}, 3).value().item() > 0.01);
}

TEST_CASE("between batches of one law the cost is above 0, and falls with the batch") {
  for (const double lambda : {0.0, 0.05}) {
    const TrainOptions options = options_of(lambda > 0 ? "genevay" : "fatras", lambda);
    const double few = mean_loss(options, 8), more = mean_loss(options, 64);
    CHECK(few > more);
    CHECK(more > 0);
  }
}

TEST_CASE("a divergence of batches has the mean 0 between batches of one law, at any lambda, and not of others") {
  for (const double lambda : {0.0, 0.05}) {
    CAPTURE(lambda);
    const TrainOptions options = options_of("fatras", lambda, "batch-divergence");
    CHECK(std::abs(mean_loss(options, 16, 200)) < 0.1 * mean_loss(options_of("fatras", lambda), 8));
    const ot::Target target = cloud(512, 7);
    const Tensor far = Random(4, 1).uniform({16, 2}, 2, 3);
    CHECK(BatchTransport(options, target).loss(far, {}, 0).value().item() == doctest::Approx(8).epsilon(0.2));
  }
}

TEST_CASE("a divergence of batches of one point is by its four costs") {
  const ot::Target one = cloud(1, 1);
  const Tensor x({2, 2}, std::vector<engine::real>{2, -1, 0.5, 3});
  const auto cost = [&](int i) { return one.cost(x.data() + 2 * i, 0); };
  const double between = one.cost(ot::Point(x.data(), 2), ot::Point(x.data() + 2, 2));
  TrainOptions options = options_of("fatras", 0, "batch-divergence");
  CHECK(BatchTransport(options, one).loss(x, {}, 0).value().item() ==
        doctest::Approx(0.5 * (cost(0) + cost(1) - between)));
  options.batch = 5;
  CHECK_THROWS_WITH_AS(BatchTransport(options, one),
                       "--loss batch-divergence halves the generator's batch: --batch must be even: 5", engine::Error);
}

TEST_CASE("the loss of more pairs of batches is the mean over them, and varies less") {
  TrainOptions options = options_of("fatras", 0);
  const ot::Target target = cloud(512, 7);
  const Tensor x = Random(4, 0).uniform({8, 2}, 0, 1);
  const auto variance = [&](std::int64_t pairs) {
    options.pairs = pairs;
    BatchTransport objective(options, target);
    double sum = 0, squares = 0;
    constexpr int draws = 30;
    for (int n = 0; n < draws; ++n) {
      const double loss = objective.loss(x, {}, n).value().item();
      sum += loss / draws, squares += loss * loss / draws;
    }
    return squares - sum * sum;
  };
  CHECK(variance(9) < 0.3 * variance(1));
  for (const char* loss : {"transport", "sinkhorn-divergence", "batch-divergence"}) {
    CAPTURE(loss);  // of a target of one point all batches are one
    options = options_of("fatras", 0.1, loss);
    const ot::Target one = cloud(1, 1);
    const Tensor point = Random(4, 0).uniform({loss[0] == 'b' ? 2 : 1, 2}, 0, 1);
    const double of_one = BatchTransport(options, one).loss(point, {}, 0).value().item();
    options.pairs = 3;
    CHECK(BatchTransport(options, one).loss(point, {}, 0).value().item() == doctest::Approx(of_one));
  }
}

TEST_CASE("the gradient with the plan held fixed is that of the value, at lambda = 0 where the plan does not change") {
  constexpr bool precise = engine::testing::precise;
  for (const ot::Cost& cost : {ot::Cost(ot::CostScale::inverse_alpha), apps::make_cost("euclidean", 0, "one")}) {
    const ot::Target target = cloud(9, 3, cost);
    // Near enough for each point to go to its own.
    const Tensor x = (Var(points_of(target)) + Random(5, 1).normal({9, 2}, 0, engine::real(0.03))).value();
    for (const double lambda : {0.0, 0.2}) {
      CAPTURE(lambda);
      BatchTransport objective(options_of("fatras", lambda), target);
      const auto errors = engine::testing::gradient_errors(
          [&](const std::vector<Var>& at) { return objective.loss(at[0], {}, 0); }, {x}, false, precise ? 1e-5 : 5e-4);
      CHECK(errors.first < (precise ? 1e-4 : 1e-2));
    }
  }
}

TEST_CASE("a sharp value has the entropic one's gradient where the plan is held, and another through the iterations") {
  const ot::Target target = cloud(9, 3);
  const Tensor x = Random(5, 1).uniform({9, 2}, 0, 1);
  const auto slope = [&](const char* value, std::int64_t unrolled) {
    TrainOptions options = options_of("genevay", 0.1);
    options.plan_value = value, options.unrolled = unrolled;
    BatchTransport objective(options, target);
    return gradient(objective, x);
  };
  const auto apart = [](const Tensor& a, const Tensor& b) {
    double difference = 0, size = 0;
    for (std::int64_t i = 0; i < a.size(); ++i)
      difference += std::pow(double(a.data()[i]) - b.data()[i], 2), size += std::pow(double(a.data()[i]), 2);
    return std::sqrt(difference / size);
  };
  const Tensor envelope = slope("entropic", 0);
  CHECK(apart(envelope, slope("sharp", 0)) < 1e-6);
  CHECK(apart(envelope, slope("entropic", 100)) < 2e-3);
  CHECK(apart(envelope, slope("sharp", 100)) > 0.02);
}

TEST_CASE("points that are no longer finite come out as NaN") {
  const ot::Target target = cloud(4, 1);
  for (const char* loss : {"transport", "sinkhorn-divergence", "batch-divergence"})
    CHECK(std::isnan(
        BatchTransport(options_of("fatras", 0.1, loss), target).loss(Tensor::full({4, 2}, NAN), {}, 0).value().item()));
}
