#include "ot/ascent/dual_solver.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/ops/elementwise.h"
#include "engine/ops/linear.h"
#include "ot/ascent/sparse_asgd.h"
#include "ot/c_transform.h"
#include "ot/semidual.h"
#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;
using doctest::Contains;
using engine::Error;
using engine::Var;

namespace {
/// Points 0 and 1 with weights 1/4 and 3/4, and three queries of which one is nearer to 1: as long as it stays so, the
/// gradient of H is (1/4 - 2/3, 3/4 - 1/3) = (-5/12, 5/12).
struct TwoPoints {
  Target target{std::vector<real>{0, 1}, 2, 1, CostScale::one, {0.25, 0.75}};
  Transformer transform{target};
  Tensor x{{3, 1}, {real(0.1), real(0.2), real(0.9)}};
  VectorPotential potential{target};

  void check(double psi) const {
    CHECK(potential.values().data()[0] == doctest::Approx(-psi).epsilon(20 * epsilon));
    CHECK(potential.values().data()[1] == doctest::Approx(psi).epsilon(20 * epsilon));
  }
};

const double step1 = 0.6 * 5 / 12, step2 = step1 / std::sqrt(2.0);

/// One inner loop on batches number first, first + 1, ...
void inner_loop(DualSolver& solver, std::int64_t dimension, std::uint64_t first) {
  solver.begin();
  for (std::uint64_t k = 0; k < 3; ++k) solver.step(Random(31, first + k).normal({10, dimension}, 0, 1));
  solver.finish();
}

Target normal_target(std::int64_t count, std::int64_t dimension) {
  return Target(vector_of(Random(30, 0).normal({count, dimension}, 0, 1)), count, dimension, CostScale::inverse_alpha);
}
}  // namespace

TEST_CASE("ASGD ascends by (102), averages, and counts from 1 in each inner loop") {
  TwoPoints p;
  const auto solver = make_dual_solver(p.transform, p.potential, 0, {.rate = 0.6, .decay = 0.5});
  solver->begin();
  solver->step(p.x);
  p.check(step1);
  solver->step(p.x);
  p.check(step1 + step2);
  solver->finish();
  p.check(step1 + step2 / 2);
  CHECK(solver->state().empty());

  Tensor& psi = p.potential.parameters()[0]->value();
  psi.data()[0] = psi.data()[1] = 0;
  solver->begin();
  solver->step(p.x);
  solver->finish();
  p.check(step1);
}

TEST_CASE("without averaging ASGD keeps the last iterate") {
  TwoPoints p;
  const auto solver = make_dual_solver(p.transform, p.potential, 0, {.rate = 0.6, .decay = 0.5, .average = false});
  solver->begin();
  solver->step(p.x);
  solver->step(p.x);
  solver->finish();
  p.check(step1 + step2);
}

TEST_CASE("Adam's first steps along a constant gradient are its rate, upwards, whatever the gradient's size") {
  TwoPoints p;
  const auto solver = make_dual_solver(p.transform, p.potential, 0, {.optimizer = DualOptimizer::adam, .rate = 0.01});
  for (int loop = 1; loop <= 2; ++loop) {
    solver->begin();
    solver->step(p.x);
    solver->finish();
    CHECK(p.potential.values().data()[0] == doctest::Approx(-0.01 * loop).epsilon(1e-6));
    CHECK(p.potential.values().data()[1] == doctest::Approx(0.01 * loop).epsilon(1e-6));
  }
}

TEST_CASE("the hits of a batch for lambda > 0 are its responsibilities") {
  TwoPoints p;
  const auto solver = make_dual_solver(p.transform, p.potential, 0.5, {.rate = 1, .average = false});
  solver->begin();
  solver->step(p.x);
  solver->finish();
  double mass = 0;  // of point 0
  for (const double x : {0.1, 0.2, 0.9}) {
    const double a = 0.25 * std::exp(-x * x / 0.5), b = 0.75 * std::exp(-(1 - x) * (1 - x) / 0.5);
    mass += a / (a + b) / 3;
  }
  p.check(mass - 0.25);
}

TEST_CASE("every solver climbs to the exact transport cost on the line") {
  // Half of the points -1, 1 each; x symmetric around 0.5, so a constant psi is far from optimal.
  const Target target(std::vector<real>{-1, 1}, 2, 1, CostScale::one);
  Transformer transform(target);
  const Tensor x({4, 1}, {real(0.2), real(0.4), real(0.6), real(0.8)});
  const double exact = (1.2 * 1.2 + 1.4 * 1.4 + 0.4 * 0.4 + 0.2 * 0.2) / 4;
  for (const DualOptions& options :
       {DualOptions{.rate = 1, .decay = 0.5}, DualOptions{.rate = 1, .decay = 0.5, .average = false},
        DualOptions{.optimizer = DualOptimizer::adam, .rate = 0.01}}) {
    VectorPotential potential(target);
    const auto solver = make_dual_solver(transform, potential, 0, options);
    const auto h = [&] { return semidual(target, x, potential.values(), 0).value().item(); };
    CHECK(h() < exact - 0.1);
    solver->begin();
    for (int k = 0; k < 2000; ++k) solver->step(x);
    solver->finish();
    CHECK(h() <= exact + 20 * epsilon);
    CHECK(h() == doctest::Approx(exact).epsilon(0.02));
  }
}

TEST_CASE("for lambda > 0 a solver ends where the responsibilities have the weights as their mean") {
  const std::vector<double> weights{0.1, 0.2, 0.3, 0.15, 0.25};
  const Target target(vector_of(Random(30, 1).normal({5, 2}, 0, 1)), 5, 2, CostScale::inverse_alpha, weights);
  Transformer transform(target);
  const Tensor x = Random(30, 2).normal({20, 2}, 0, 1);
  VectorPotential potential(target);
  const auto solver = make_dual_solver(transform, potential, 0.1, {.rate = 0.3, .decay = 0, .average = false});
  solver->begin();
  for (int k = 0; k < 3000; ++k) solver->step(x);
  solver->finish();
  const Tensor mass = c_transform(target, x, potential.values(), 0.1, {.mass = true}).mass;
  CHECK(distance(mass.values(), weights) < 1e-4);
}

TEST_CASE("a network is moved up H as well") {
  const Target target = normal_target(300, 2);
  Transformer transform(target);
  const PointIndex index(target);
  Var weight = Tensor::zeros({1, 2}), bias = Tensor::zeros({1});
  NetworkPotential potential(index, [&](const Var& y) { return linear(y, weight, bias); }, {&weight, &bias});
  Tensor x = Random(30, 2).normal({50, 2}, 1, 1);
  for (const DualOptimizer optimizer : {DualOptimizer::asgd, DualOptimizer::adam}) {
    weight = Tensor::zeros({1, 2});
    const auto h = [&] { return semidual(target, x, potential.values(), 0.05).value().item(); };
    const double before = h();
    const auto solver =
        make_dual_solver(transform, potential, 0.05, {.optimizer = optimizer, .rate = 0.1, .decay = 0.8});
    solver->begin();
    for (int k = 0; k < 30; ++k) solver->step(x);
    solver->finish();
    CHECK(h() > before + 0.1);
  }
}

TEST_CASE("an inner loop, its state kept, and another are two inner loops in one go") {
  const Target target = normal_target(50, 3);
  Transformer transform(target);
  for (const double lambda : {0.0, 0.1})
    for (const DualOptions& options : {DualOptions{.rate = 1}, DualOptions{.rate = 1, .average = false},
                                       DualOptions{.optimizer = DualOptimizer::adam, .rate = 0.01}}) {
      VectorPotential through(target), stopped(target), resumed(target);
      const auto whole = make_dual_solver(transform, through, lambda, options);
      inner_loop(*whole, 3, 0);
      inner_loop(*whole, 3, 3);

      const auto first = make_dual_solver(transform, stopped, lambda, options);
      first->restore(first->state());  // before any step
      inner_loop(*first, 3, 0);
      NamedTensors state;
      for (const auto& [name, tensor] : first->state()) state.emplace_back(name, tensor.clone());
      resumed.parameters()[0]->value() = stopped.values().clone();
      inner_loop(*first, 3, 100);  // must not touch what was kept
      const auto second = make_dual_solver(transform, resumed, lambda, options);
      second->restore(state);
      inner_loop(*second, 3, 3);
      CHECK(same(resumed.values(), through.values()));
    }
}

TEST_CASE("Adam's state has a name for each tensor, and refuses one that does not fit") {
  const Target target = normal_target(50, 3);
  Transformer transform(target);
  VectorPotential potential(target);
  const auto solver = make_dual_solver(transform, potential, 0, {.optimizer = DualOptimizer::adam, .rate = 0.01});
  CHECK(solver->state().size() == 1);
  inner_loop(*solver, 3, 0);
  NamedTensors state = solver->state();
  REQUIRE(state.size() == 3);
  CHECK(state[0].first == "dual.adam.steps");
  CHECK(state[0].second.item() == 3);
  CHECK(state[1].first == "dual.adam.first.0");
  CHECK(state[2].first == "dual.adam.second.0");
  state.emplace_back("generator.0.weight", Tensor::zeros({2}));
  CHECK_NOTHROW(solver->restore(state));
  state[2].second = Tensor::zeros({50});
  CHECK_THROWS_WITH_AS(solver->restore(state), "tensor dual.adam.second.0 is [50], it should be [1]", Error);
  NamedTensors odd = state;
  for (const double steps : {0.5, std::nan(""), 1e20}) {
    odd[0].second = Tensor::scalar(static_cast<engine::real>(steps));
    CHECK_THROWS_WITH_AS(solver->restore(odd), Contains("tensor dual.adam.steps holds "), Error);
  }
  state.erase(state.begin() + 1);
  CHECK_THROWS_WITH_AS(solver->restore(state), "tensor dual.adam.first.0 [50] is missing", Error);
  CHECK_THROWS_WITH_AS(solver->restore({}), "tensor dual.adam.steps [] is missing", Error);
}

TEST_CASE("solvers refuse steps that lead nowhere") {
  const Target target = normal_target(5, 3);
  Transformer transform(target);
  VectorPotential potential(target);
  for (const double rate : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()})
    CHECK_THROWS_WITH_AS(make_dual_solver(transform, potential, 0, {.rate = rate}),
                         Contains("[dual solver] the rate must be positive and finite: "), Error);
  for (const double decay : {-0.1, 1.1, std::nan("")})
    CHECK_THROWS_WITH_AS(make_dual_solver(transform, potential, 0, {.decay = decay}),
                         Contains("[dual solver] the decay must be in [0, 1]: "), Error);
  const auto solver = make_dual_solver(transform, potential, -1, {.optimizer = DualOptimizer::adam});
  CHECK_THROWS_WITH_AS(solver->step(Tensor::zeros({1, 3})), Contains("lambda must be finite and not negative"), Error);
}
