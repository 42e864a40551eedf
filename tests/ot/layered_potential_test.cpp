#include "ot/layered_potential.h"

#include <cmath>
#include <map>

#include <doctest/doctest.h>

#include "ot/ascent/dual_solver.h"
#include "ot/c_transform.h"
#include "ot/semidual.h"
#include "tests/ot/oracle.h"
#include "tests/ot/weights.h"

using namespace ot;
using namespace ot::testing;
using engine::Error;
using engine::Var;
using Layers = std::vector<std::int64_t>;

namespace {

Target normal_target(std::int64_t count, std::int64_t dimension) {
  return Target(vector_of(Random(30, 0).normal({count, dimension}, 0, 1)), count, dimension, CostScale::inverse_alpha);
}

/// Any values in all parameters.
void fill(Potential& potential, std::uint64_t stream) {
  for (Var* parameter : potential.parameters())
    parameter->value() = Random(40, stream++).normal(parameter->shape(), 0, real(0.1));
}

/// Steps of an inner loop, some of them on subsets.
void ascend(DualSolver& solver, const Target& target, bool subsets) {
  solver.begin();
  for (std::uint64_t k = 0; k < 4; ++k) {
    const Tensor x = Random(31, k).normal({10, target.dimension()}, 0, 1);
    if (subsets)
      solver.step(x, Subset(target, 20, Random(32, k)));
    else
      solver.step(x);
  }
  solver.finish();
}

}  // namespace

TEST_CASE("a layer's value is added to the points of its node, which are neighbours") {
  // On the line the tree's order is that of the points.
  std::vector<real> points;
  for (int j = 0; j < 40; ++j) points.push_back(static_cast<real>((j * 7) % 40));
  const Target target(points, 40, 1, CostScale::one);
  const PointIndex index(target);
  LayeredPotential potential(index, {1, 16});
  CHECK(same(potential.values(), Tensor::zeros({40})));
  REQUIRE(potential.parameters().size() == 2);
  REQUIRE(potential.parameters()[1]->shape() == engine::Shape{3});
  potential.parameters()[1]->value() = Tensor({3}, {1, 2, 3});
  std::map<real, int> counts;
  for (std::size_t j = 0; j < 40; ++j) {
    const real value = potential.values().data()[j];
    ++counts[value];
    for (std::size_t k = 0; k < 40; ++k)  // whole stretches of the line
      if (points[k] > points[j] && potential.values().data()[k] == value)
        for (std::size_t between = 0; between < 40; ++between)
          if (points[between] > points[j] && points[between] < points[k])
            CHECK(potential.values().data()[between] == value);
  }
  CHECK(counts == std::map<real, int>{{real(1), 16}, {real(2), 16}, {real(3), 8}});
}

TEST_CASE("the place of each point is where the order has it") {
  const Target target = normal_target(700, 5);
  const PointIndex index(target);
  const std::vector<std::int64_t> of_points = places(index);
  for (std::size_t p = 0; p < 700; ++p)
    CHECK(of_points[static_cast<std::size_t>(index.order()[p])] == static_cast<std::int64_t>(p));
}

TEST_CASE("the gradient of H in each layer is that of differences, on all points and on a subset") {
  for (const bool weighted : {false, true})
    for (const double lambda : {0.0, 0.2}) {
      CAPTURE(weighted);
      CAPTURE(lambda);
      const std::int64_t count = 50;
      const Target target(vector_of(Random(33, 0).normal({count, 3}, 0, 1)), count, 3, CostScale::inverse_alpha,
                          weighted ? random_weights(count, 1) : std::vector<double>());
      const PointIndex index(target);
      const Tensor x = Random(33, 1).normal({15, 3}, 0, 1);
      LayeredPotential potential(index, {1, 16, 32});
      fill(potential, 0);
      const Subset subset(target, 30, Random(33, 2));
      const auto gradient_of = [&](const Target& to) {
        return [&, lambda](const Tensor& psi) {
          return semidual_gradient(to, c_transform(to, x, psi, lambda, {.mass = true}).mass);
        };
      };
      const auto check = [&](const std::vector<Var>& gradients, const auto& h) {
        const std::vector<Var*> parameters = potential.parameters();
        REQUIRE(gradients.size() == parameters.size());
        for (std::size_t p = 0; p < parameters.size(); ++p)
          for (std::int64_t i = 0; i < parameters[p]->size(); ++i) {
            real& theta = parameters[p]->value().data()[i];
            const real before = theta, step = std::is_same_v<real, double> ? 1e-6 : 2e-4;
            theta = before + step;
            const double above = h();
            theta = before - step;
            const double below = h();
            theta = before;
            CHECK(gradients[p].value().data()[i] == doctest::Approx((above - below) / (2 * double(step)))
                                                        .epsilon(std::is_same_v<real, double> ? 1e-6 : 5e-3));
          }
      };
      check(potential.pull_back(gradient_of(target)),
            [&] { return semidual(target, x, potential.values(), lambda).value().item(); });
      check(potential.pull_back(gradient_of(subset.target), subset),
            [&] { return semidual(subset.target, x, potential.values(subset), lambda).value().item(); });
    }
}

TEST_CASE("one layer of single points is the vector, to the bit") {
  const Target target = normal_target(60, 3);
  Transformer transform(target);
  const PointIndex index(target);
  for (const bool subsets : {false, true})
    for (const DualOptions& options :
         {DualOptions{DualOptimizer::adam, 0.01, 0, false}, DualOptions{DualOptimizer::asgd, 0.5, 0.5, true}}) {
      VectorPotential vector(target);
      LayeredPotential layers(index, {1});
      const double lambda = options.optimizer == DualOptimizer::asgd ? 0.1 : 0;  // at 0 a vector goes the sparse way
      const auto of_vector = make_dual_solver(transform, vector, lambda, options);
      const auto of_layers = make_dual_solver(transform, layers, lambda, options);
      ascend(*of_vector, target, subsets);
      ascend(*of_layers, target, subsets);
      CHECK(same(vector.values(), layers.values()));
    }
}

TEST_CASE("a layer of all points is a shift, which H does not see") {
  const Target target = normal_target(60, 3);
  const PointIndex index(target);
  const Tensor x = Random(34, 0).normal({15, 3}, 0, 1);
  LayeredPotential potential(index, {1, 60});
  fill(potential, 5);
  const double before = semidual(target, x, potential.values(), 0.1).value().item();
  potential.parameters()[1]->value().data()[0] += 1;
  CHECK(semidual(target, x, potential.values(), 0.1).value().item() == doctest::Approx(before).epsilon(10 * epsilon));
}

TEST_CASE("layers reach the maximum of H, which is the transport cost") {
  // Sorted transport on the line: 100 points to 100 points shifted by 3, at a cost of 9.
  Tensor x = Random(35, 0).normal({100, 1}, 0, 1);
  std::vector<real> y = vector_of(x);
  for (real& value : y) value += 3;
  const Target target(y, 100, 1, CostScale::one);
  Transformer transform(target);
  const PointIndex index(target);
  LayeredPotential potential(index, LayeredPotential::usual_layers(100));
  double rate = 0.3;
  for (int round = 0; round < 8; ++round, rate /= 3) {
    const auto solver = make_dual_solver(transform, potential, 0, {DualOptimizer::adam, rate, 0, false});
    solver->begin();
    for (int k = 0; k < 200; ++k) solver->step(x);
    solver->finish();
  }
  CHECK(semidual(target, x, potential.values(), 0).value().item() == doctest::Approx(9).epsilon(1e-3));
}

TEST_CASE("a step on a subset moves the nodes of its points alone") {
  const Target target = normal_target(200, 3);
  Transformer transform(target);
  const PointIndex index(target);
  LayeredPotential potential(index, {1, 16});
  const auto solver = make_dual_solver(transform, potential, 0, {DualOptimizer::adam, 0.01, 0, false});
  ascend(*solver, target, false);
  const Tensor before = potential.parameters()[0]->value().clone();
  const Subset subset(target, 5, Random(36, 0));
  solver->begin();
  solver->step(Random(36, 1).normal({10, 3}, 0, 1), subset);
  int moved = 0;
  for (std::int64_t i = 0; i < 200; ++i) moved += before.data()[i] != potential.parameters()[0]->value().data()[i];
  CHECK(moved == 5);
}

TEST_CASE("a state has psi, each layer and the order, and brings all of them back") {
  const Target target = normal_target(100, 3),
               other_points(vector_of(Random(37, 0).normal({100, 3}, 0, 1)), 100, 3, CostScale::one);
  const PointIndex index(target);
  LayeredPotential potential(index, {1, 16});
  fill(potential, 9);
  const NamedTensors state = potential.state();
  CHECK(same(find(state, "psi", {100}), potential.values()));
  CHECK(same(find(state, "psi.layer.16", {7}), potential.parameters()[1]->value()));
  const PointIndex other_index(other_points);
  LayeredPotential elsewhere(other_index, {1, 16});  // whose tree is another one
  elsewhere.restore(state);
  CHECK(same(elsewhere.values(), potential.values()));
  for (std::size_t t = 0; t < state.size(); ++t) CHECK(same(elsewhere.state()[t].second, state[t].second));

  NamedTensors damaged{{"psi.order", Tensor::zeros({100, 2})}};
  CHECK_THROWS_WITH_AS(elsewhere.restore(damaged), "tensor psi.order must hold each point once: 0 at place 1", Error);
  damaged[0].second = Tensor::full({100, 2}, NAN);
  CHECK_THROWS_WITH_AS(elsewhere.restore(damaged), "tensor psi.order must hold each point once: -1 at place 0", Error);
  CHECK_THROWS_WITH_AS(elsewhere.restore({}), "tensor psi.order [100, 2] is missing", Error);
}

TEST_CASE("the usual layers go as far as there are two nodes") {
  CHECK(LayeredPotential::usual_layers(1) == Layers{1});
  CHECK(LayeredPotential::usual_layers(31) == Layers{1});
  CHECK(LayeredPotential::usual_layers(32) == Layers{1, 16});
  CHECK(LayeredPotential::usual_layers(5000) == Layers{1, 16, 256});
  CHECK(LayeredPotential::usual_layers(60000) == Layers{1, 16, 256, 4096});
  CHECK(LayeredPotential::usual_layers(std::int64_t{1} << 40) == Layers{1, 16, 256, 4096});
}

TEST_CASE("layers that do not start at 1, do not increase or exceed the points are refused") {
  const Target target = normal_target(50, 2);
  const PointIndex index(target);
  CHECK_THROWS_WITH_AS(LayeredPotential(index, {}), "[potential] layers must start at 1 point a node: 0", Error);
  CHECK_THROWS_WITH_AS(LayeredPotential(index, {2, 16}), "[potential] layers must start at 1 point a node: 2", Error);
  CHECK_THROWS_WITH_AS(LayeredPotential(index, {1, 16, 16}), "[potential] layers must increase: 16 after 16", Error);
  CHECK_THROWS_WITH_AS(LayeredPotential(index, {1, 51}),
                       "[potential] a layer's nodes must hold at most the 50 points there are: 51", Error);
}
