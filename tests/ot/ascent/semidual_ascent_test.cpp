#include "ot/ascent/semidual_ascent.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "engine/parallel.h"
#include "ot/exact/exact.h"
#include "ot/plan/duality.h"
#include "ot/sinkhorn/sinkhorn.h"
#include "tests/engine/threads.h"
#include "tests/ot/oracle.h"
#include "tests/ot/weights.h"

using namespace ot;
using namespace ot::testing;
using doctest::Contains;
using engine::Error;

namespace {
Weights rising_weights(std::int64_t n) {
  Weights weights;
  for (std::int64_t i = 1; i <= n; ++i)
    weights.push_back(2.0 * static_cast<double>(i) / static_cast<double>(n * (n + 1)));
  return weights;
}

std::vector<double> doubles(const Tensor& tensor) {
  return {tensor.values().begin(), tensor.values().end()};
}

/// 60 source points against 40 target points of the plane, with weights.
struct Clouds {
  Threads one{1};  // steps this small would only wait for another
  Tensor x = Random(60, 0).normal({60, 2}, 0, 1);
  Weights mu = rising_weights(60);
  Target target{vector_of(Random(60, 1).normal({40, 2}, 1, 1)), 40, 2, CostScale::one, rising_weights(40)};
  Transformer transform{target};
  PointSource source{x, mu, 3};
  VectorPotential potential{target};

  Duality reached(double lambda) const {
    return duality(cost_matrix(target, x), mu, target.weights(), doubles(potential.values()), lambda);
  }
};
}  // namespace

TEST_CASE("estimates of the dual and of chi^2 are unbiased, and their errors are the size of what they miss") {
  Clouds clouds;
  Tensor psi = clouds.potential.values();
  for (std::int64_t j = 0; j < psi.size(); ++j) psi.data()[j] = real(0.3) * std::sin(static_cast<real>(j));
  for (const double lambda : {0.0, 0.3}) {
    CAPTURE(lambda);
    const Duality exact = clouds.reached(lambda);
    double dual = 0, chi_squared = 0, dual_error = 0, chi_error = 0;
    constexpr int repeats = 200, groups = 8;
    std::vector<double> chis;
    for (int k = 0; k < repeats; ++k) {
      const SemidualEstimate estimate = *estimate_semidual(clouds.transform, psi, lambda, groups, [&](int group) {
        return clouds.source.batch(static_cast<std::uint64_t>(k * groups + group), 16);
      });
      dual += estimate.dual / repeats;
      chi_squared += estimate.chi_squared / repeats;
      dual_error += estimate.dual_error / repeats;
      chi_error += estimate.chi_squared_error / repeats;
      chis.push_back(estimate.chi_squared);
    }
    const double mean_error = std::sqrt(1.0 / repeats);  // of a mean over the repeats, in units of one's error
    CHECK(std::abs(dual - exact.dual) <= 4 * mean_error * dual_error);
    CHECK(std::abs(chi_squared - exact.chi_squared) <= 4 * mean_error * chi_error);
    double variance = 0;
    for (const double chi : chis) variance += (chi - chi_squared) * (chi - chi_squared) / repeats;
    CHECK(chi_error == doctest::Approx(std::sqrt(variance)).epsilon(0.5));
  }
}

TEST_CASE("Adam and ASGD reach the exact and the entropic optimum of random clouds, weights and all") {
  for (const DualOptimizer optimizer : {DualOptimizer::adam, DualOptimizer::asgd}) {
    for (const double lambda : {0.0, 0.01, 0.3}) {
      CAPTURE(static_cast<int>(optimizer));
      CAPTURE(lambda);
      Clouds clouds;
      const CostMatrix costs = cost_matrix(clouds.target, clouds.x);
      const double best = lambda == 0
                              ? exact_transport(costs, clouds.mu, clouds.target.weights()).value
                              : sinkhorn(costs, clouds.mu, clouds.target.weights(), {.lambda = lambda}).duality.dual;
      const AscentResult result =
          ascend_semidual(clouds.transform, clouds.source, clouds.potential,
                          {.optimizer = optimizer, .lambda = lambda, .steps = 1500, .batch = 20});
      CHECK(result.steps == 1500);
      const Duality reached = clouds.reached(lambda);
      CHECK(reached.dual <= best + 1e-5);
      CHECK(reached.dual >= best * 0.99);
      if (lambda == 0) continue;  // points whose mass is to be split leave some chi^2
      CHECK(result.estimate.chi_squared < 0.5);
      CHECK(reached.primal >= best - 1e-5);
    }
  }
}

TEST_CASE("a full batch and a falling lambda reach the optimum too") {
  Clouds clouds;
  const double best = exact_transport(cost_matrix(clouds.target, clouds.x), clouds.mu, clouds.target.weights()).value;
  double lambda = 10;
  ascend_semidual(clouds.transform, clouds.source, clouds.potential,
                  {.optimizer = DualOptimizer::asgd, .first_lambda = 1, .steps = 1000, .batch = 60},
                  [&](const AscentProgress& progress) {
                    if (progress.step == 0) return true;
                    CHECK(progress.lambda <= lambda);
                    lambda = progress.lambda;
                    return true;
                  });
  CHECK(lambda == 0);
  CHECK(clouds.reached(0).dual >= best * 0.99);
}

TEST_CASE("an ascent that steps throw back keeps the best psi, and says by how much the last was below it") {
  Clouds clouds;
  const double rate = 100;  // far above all costs
  const AscentResult result =
      ascend_semidual(clouds.transform, clouds.source, clouds.potential, {.steps = 100, .batch = 20, .rate = rate});
  CHECK(result.lost > 0);
  CHECK(clouds.reached(0).dual >= 0);  // that of psi = 0
  // Ended in the last stage, it knows no better.
  Clouds others;
  ascend_semidual(others.transform, others.source, others.potential, {.steps = 100, .batch = 20, .rate = rate},
                  [](const AscentProgress& progress) { return progress.step < 95; });
  CHECK(others.reached(0).dual >= 0);
}

TEST_CASE("an ascent ends at its tolerance or when its observer says so") {
  Clouds clouds;
  const AscentResult early = ascend_semidual(clouds.transform, clouds.source, clouds.potential,
                                             {.lambda = 1, .steps = 1000, .batch = 20, .tolerance = 0.5});
  CHECK(early.converged);
  CHECK(early.steps < 1000);
  CHECK(early.estimate.chi_squared + early.estimate.chi_squared_error <= 0.5);
  const AscentResult stopped =
      ascend_semidual(clouds.transform, clouds.source, clouds.potential, {.steps = 1000, .batch = 20},
                      [](const AscentProgress& progress) { return progress.step < 7; });
  CHECK(stopped.steps == 7);
  CHECK_FALSE(stopped.converged);
  CHECK_THROWS_WITH_AS(ascend_semidual(clouds.transform, clouds.source, clouds.potential, {.steps = 0}),
                       Contains("at least one step"), Error);
  CHECK_THROWS_WITH_AS(ascend_semidual(clouds.transform, clouds.source, clouds.potential, {.batch = INT64_MAX}),
                       Contains("at most 2147483647 points in a step"), Error);
  const AscentResult long_one =
      ascend_semidual(clouds.transform, clouds.source, clouds.potential, {.steps = INT64_MAX, .batch = 20},
                      [](const AscentProgress& progress) { return progress.step < 7; });
  CHECK(long_one.steps == 7);
}
