#include "apps/paper/inner_loop.h"

#include <doctest/doctest.h>

#include "apps/sinkhorn_bounds.h"

#include "apps/learn/dual.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "ot/semidual.h"

using engine::Tensor;

namespace {

constexpr std::int64_t count = 9, dimension = 3;

ot::Target small_target() {
  const Tensor points = engine::Random(1, 2).uniform({count, dimension}, 0, 1);
  return {std::vector<engine::real>(points.values().begin(), points.values().end()), count, dimension,
          ot::CostScale::inverse_alpha};
}

bool always() {
  return true;
}

}  // namespace

TEST_CASE("each value of an inner loop is H at what a loop of so many steps returns") {
  engine::set_threads(1);
  const ot::Target target = small_target();
  const Tensor x = engine::Random(3, 4).uniform({5, dimension}, 0, 1);
  for (const char* optimizer : {"asgd", "adam"})
    for (const char* potential : {"vector", "network"})
      for (const double lambda : {0.0, 0.05}) {
        CAPTURE(optimizer);
        CAPTURE(potential);
        CAPTURE(lambda);
        apps::TrainOptions options = apps::preset_options("paper", potential, optimizer);
        options.lambda = lambda;
        const std::vector<double> h = apps::inner_loop(options, target, x, 4, always);
        REQUIRE(h.size() == 5);
        for (std::size_t steps = 0; steps < h.size(); ++steps) {
          apps::Dual dual(options, target);
          dual.solver->begin();
          for (std::size_t k = 0; k < steps; ++k) dual.solver->step(x);
          dual.solver->finish();
          const double expected = ot::semidual(target, x, dual.psi->values(), lambda).value().item();
          CHECK(h[steps] == doctest::Approx(expected).epsilon(1e-5));
        }
      }
}

TEST_CASE("an inner loop that may not go on returns what it has") {
  engine::set_threads(1);
  const ot::Target target = small_target();
  int left = 2;
  const std::vector<double> h = apps::inner_loop(apps::preset_options("paper", "vector", ""), target,
                                                 Tensor::zeros({2, dimension}), 9, [&] { return left-- > 0; });
  CHECK(h.size() == 3);
}

TEST_CASE("Sinkhorn's bounds enclose what long inner loops reach, also without regularization") {
  engine::set_threads(1);
  const ot::Target target = small_target();
  const Tensor x = engine::Random(3, 4).uniform({5, dimension}, 0, 1);
  for (const double lambda : {0.0, 0.05}) {
    const apps::TransportBounds w = apps::sinkhorn_bounds(target, x, lambda, always);
    CHECK(w.dual <= w.primal + 1e-9);
    CHECK(w.primal - w.dual < 0.01);
    apps::TrainOptions options = apps::preset_options("paper", "vector", "asgd");
    options.lambda = lambda;
    options.dual_lr = 1;
    const double reached = apps::inner_loop(options, target, x, 2000, always).back();
    CHECK(reached <= w.primal + 1e-5);
    CHECK(reached == doctest::Approx(w.dual).epsilon(0.02));
  }
}
