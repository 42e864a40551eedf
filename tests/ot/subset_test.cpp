#include "ot/subset.h"

#include <algorithm>
#include <memory>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/linear.h"
#include "ot/ascent/dual_solver.h"
#include "ot/c_transform.h"
#include "ot/cityblock_cost.h"
#include "ot/semidual.h"
#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;
using engine::Error;
using engine::Var;

namespace {
constexpr Wanted everything{.gradient = true, .mass = true};

Tensor normal_points(std::int64_t count, std::int64_t dimension) {
  return Random(50, 0).normal({count, dimension}, 1, 1);
}

Target normal_target(std::int64_t count, std::int64_t dimension, std::vector<double> weights = {}) {
  return Target(vector_of(normal_points(count, dimension)), count, dimension, CostScale::inverse_alpha,
                std::move(weights));
}

/// Weights 0, 1, 2, 0, 1, 2, ... scaled to sum to 1.
std::vector<double> lumpy_weights(std::int64_t count) {
  std::vector<double> weights;
  double sum = 0;
  for (std::int64_t j = 0; j < count; ++j) sum += weights.emplace_back(static_cast<double>(j % 3));
  for (double& weight : weights) weight /= sum;
  return weights;
}
}  // namespace

TEST_CASE("a transform to a subset is the transform to its points with their weights scaled to sum to 1") {
  constexpr std::int64_t count = 300, d = 5;
  const Tensor y = normal_points(count, d), x = Random(50, 1).normal({7, d}, 1, 1);
  const Tensor psi = Random(50, 2).normal({count}, 0, real(0.2));
  const std::vector<std::int64_t> points{3, 4, 10, 77, 140, 141, 142, 299};
  for (const std::vector<double>& weights : {std::vector<double>{}, lumpy_weights(count)}) {
    const Target whole(vector_of(y), count, d, CostScale::inverse_alpha, weights);
    const Subset subset(whole, points);
    CHECK(subset.target.size() == 8);
    CHECK(subset.target.scale() == whole.scale());
    CHECK(subset.target.uniform() == whole.uniform());

    std::vector<real> chosen;
    std::vector<double> shares;
    double sum = 0;
    for (const std::int64_t j : points) {
      chosen.insert(chosen.end(), y.data() + j * d, y.data() + (j + 1) * d);
      sum += shares.emplace_back(whole.weights()[static_cast<std::size_t>(j)]);
    }
    for (double& share : shares) share /= sum;
    for (const double lambda : {0.0, 0.05, 1.0}) {
      const Oracle oracle(chosen, shares, whole.scale(), x, subset.gather(psi), lambda);
      const CTransform result = c_transform(subset.target, x, subset.gather(psi), lambda, everything);
      const double rounding = 500 * epsilon * (1 + (lambda > 0 ? 1 / lambda : 0));
      CHECK(distance(result.value, oracle.value) < rounding);
      CHECK(distance(result.gradient, oracle.gradient) < rounding);
      CHECK(distance(result.mass, oracle.mass) < rounding);
      CHECK(result.winners == oracle.winners);
    }
  }
}

TEST_CASE("all points are a subset that transforms as the whole, under any cost, of 8-bit points and of many") {
  constexpr std::int64_t count = 2500, d = 6;
  std::vector<std::uint8_t> bytes(count * d);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(Random(51, 0).bits(i));
  const Tensor x = Random(51, 1).uniform({9, d}, 0, 1), psi = Random(51, 2).normal({count}, 0, real(0.02));
  for (const auto& cost : {std::shared_ptr<const GroundCost>(), std::shared_ptr<const GroundCost>(new CityblockCost)}) {
    const Target whole(bytes, count, d, {CostScale::inverse_alpha, cost});
    const Subset all(whole, count, Random(51, 3));
    for (const double lambda : {0.0, 0.05}) {
      const CTransform a = c_transform(whole, x, psi, lambda, everything);
      const CTransform b = c_transform(all.target, x, psi, lambda, everything);
      CHECK(distance(a.value, b.value) < 100 * epsilon);
      CHECK(distance(a.gradient, b.gradient) < 1e4 * epsilon);
      CHECK(distance(a.mass, b.mass) < 1e3 * epsilon);
      CHECK(a.winners == b.winners);
    }
  }
}

TEST_CASE("for lambda = 0 no point of a subset is nearer than the nearest of all") {
  const Target whole = normal_target(500, 3);
  const Tensor x = Random(50, 1).normal({30, 3}, 1, 1), psi = Random(50, 2).normal({500}, 0, real(0.2));
  const Tensor least = c_transform(whole, x, psi, 0).value;
  for (std::uint64_t draw = 0; draw < 20; ++draw) {
    const Subset subset(whole, 50, Random(52, draw));
    const Tensor value = c_transform(subset.target, x, subset.gather(psi), 0).value;
    for (int i = 0; i < 30; ++i) CHECK(value.data()[i] >= least.data()[i] - 10 * epsilon);
  }
}

TEST_CASE("draws are of the support, and again the same from the same random numbers") {
  const Target whole = normal_target(30, 2, lumpy_weights(30));
  std::vector<int> seen(30);
  for (std::uint64_t stream = 0; stream < 50; ++stream) {
    const Subset subset(whole, 7, Random(53, stream));
    CHECK(subset.points.size() == 7);
    CHECK(std::is_sorted(subset.points.begin(), subset.points.end()));
    CHECK(subset.points == Subset(whole, 7, Random(53, stream)).points);
    for (const std::int64_t j : subset.points) ++seen[static_cast<std::size_t>(j)];
  }
  for (std::size_t j = 0; j < 30; ++j) CHECK((seen[j] > 0) == (j % 3 > 0));
  CHECK_THROWS_WITH_AS(Subset(whole, 21, Random(53, 0)), "[subset] there must be between 0 and 20 elements: 21", Error);
}

TEST_CASE("a subset refuses points that are no measure") {
  const Target whole = normal_target(30, 2, lumpy_weights(30));
  CHECK_THROWS_WITH_AS(Subset(whole, {}), "[target] a subset must have at least one point", Error);
  CHECK_THROWS_WITH_AS(Subset(whole, {1, 30}), "[target] a subset's points must be among the 30: 30", Error);
  CHECK_THROWS_WITH_AS(Subset(whole, {-1}), "[target] a subset's points must be among the 30: -1", Error);
  CHECK_THROWS_WITH_AS(Subset(whole, {0, 3}), "[target] a subset's points must not all have weight 0", Error);
}

TEST_CASE("potentials have their values at a subset, and gradients from there") {
  const Target whole = normal_target(300, 3);
  const PointIndex index(whole);
  const Subset subset(whole, 40, Random(54, 0));
  const Tensor gradient = Random(54, 1).normal({40}, 0, 1);
  Tensor all = Tensor::zeros({300});
  subset.scatter(gradient, all);
  CHECK(same(subset.gather(all), gradient));

  Var weight = Random(54, 2).normal({1, 3}, 0, 1), bias = Tensor::zeros({1});
  NetworkPotential network(index, [&](const Var& y) { return engine::tanh(linear(y, weight, bias)); },
                           {&weight, &bias});
  VectorPotential vector(whole);
  vector.parameters()[0]->value() = Random(54, 3).normal({300}, 0, 1);
  for (Potential* potential : {static_cast<Potential*>(&network), static_cast<Potential*>(&vector)}) {
    CHECK(distance(potential->values(subset), subset.gather(potential->values())) < 4 * epsilon);
    const std::vector<Var> here = potential->pull_back([&](const Tensor&) { return gradient; }, subset),
                           everywhere = potential->pull_back([&](const Tensor&) { return all; });
    REQUIRE(here.size() == everywhere.size());
    for (std::size_t p = 0; p < here.size(); ++p)
      CHECK(distance(here[p].value(), everywhere[p].value()) < 100 * epsilon);
  }
}

TEST_CASE("a step on a subset moves psi, and remembers moments, there alone") {
  const Target whole = normal_target(60, 3);
  Transformer transform(whole);
  const Tensor x = Random(50, 1).normal({15, 3}, 1, 1);
  for (const double lambda : {0.0, 0.1})
    for (const DualOptions& options : {DualOptions{.rate = 1}, DualOptions{.rate = 1, .average = false},
                                       DualOptions{.optimizer = DualOptimizer::adam, .rate = 0.01}}) {
      VectorPotential psi(whole);
      const auto solver = make_dual_solver(transform, psi, lambda, options);
      solver->begin();
      solver->step(x);
      solver->finish();
      const Tensor before = psi.values().clone();
      const Subset subset(whole, 20, Random(55, 0));
      NamedTensors moments;
      for (const auto& [name, tensor] : solver->state()) moments.emplace_back(name, tensor.clone());
      solver->begin();
      for (int k = 0; k < 3; ++k) solver->step(x, subset);
      solver->finish();
      for (std::int64_t j = 0; j < 60; ++j) {
        const bool chosen = std::binary_search(subset.points.begin(), subset.points.end(), j);
        CHECK((std::abs(psi.values().data()[j] - before.data()[j]) > 20 * epsilon) == chosen);  // a mean rounds
        for (std::size_t m = 1; m < moments.size(); ++m)
          if (moments[m].second.size() == 60)
            CHECK((solver->state()[m].second.data()[j] != moments[m].second.data()[j]) == chosen);
      }
    }
}

TEST_CASE("a step on all points as a subset is a step on the whole") {
  const Target whole = normal_target(60, 3);
  Transformer transform(whole);
  const Subset all(whole, 60, Random(55, 0));
  for (const DualOptions& options :
       {DualOptions{.rate = 1, .average = false}, DualOptions{.optimizer = DualOptimizer::adam, .rate = 0.01}}) {
    VectorPotential a(whole), b(whole);
    const auto on_whole = make_dual_solver(transform, a, 0.1, options),
               on_all = make_dual_solver(transform, b, 0.1, options);
    for (std::uint64_t k = 0; k < 4; ++k) {
      const Tensor x = Random(50, k).normal({15, 3}, 1, 1);
      on_whole->step(x);
      on_all->step(x, all);
    }
    CHECK(same(a.values(), b.values()));
  }
}

TEST_CASE("steps on ever new subsets climb H to all points") {
  const Target whole = normal_target(200, 2);
  Transformer transform(whole);
  const PointIndex index(whole);
  const Tensor x = Random(50, 1).normal({50, 2}, 0, 1);
  for (const DualOptions& options :
       {DualOptions{.rate = 1}, DualOptions{.optimizer = DualOptimizer::adam, .rate = 0.01}}) {
    VectorPotential vector(whole);
    Var weight = Tensor::zeros({1, 2}), bias = Tensor::zeros({1});
    NetworkPotential network(index, [&](const Var& y) { return linear(y, weight, bias); }, {&weight, &bias});
    for (Potential* potential : {static_cast<Potential*>(&vector), static_cast<Potential*>(&network)}) {
      const auto h = [&] { return semidual(whole, x, potential->values(), 0.05).value().item(); };
      const double before = h();
      const auto solver = make_dual_solver(transform, *potential, 0.05, options);
      solver->begin();
      for (std::uint64_t k = 0; k < 60; ++k) solver->step(x, Subset(whole, 100, Random(56, k)));
      solver->finish();
      CHECK(h() > before + 0.05);
    }
  }
}
