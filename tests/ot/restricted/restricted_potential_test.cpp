#include "ot/restricted/restricted_potential.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/parallel.h"
#include "ot/cityblock_cost.h"
#include "ot/exact/exact.h"
#include "ot/restricted/restricted_ascent.h"
#include "ot/semidual.h"
#include "tests/ot/oracle.h"
#include "tests/ot/weights.h"

using namespace ot::testing;
using engine::Var;
using ot::ClusterTree;
using ot::RestrictedAscent;
using ot::RestrictedPotential;

namespace {

constexpr std::int64_t count = 60, dimension = 3;
const std::vector<real> points = vector_of(Random(1, 1).uniform({count, dimension}, 0, 1));

ot::Target target_of(const Weights& weights = {}, ot::Cost cost = ot::CostScale::one) {
  return {points, count, dimension, std::move(cost), weights};
}

std::vector<std::int64_t> each_its_own() {
  std::vector<std::int64_t> parents(count);
  std::iota(parents.begin(), parents.end(), 0);
  return parents;
}

const ClusterTree::Parents one_cluster{std::vector<std::int64_t>(count, 0)}, own_clusters{each_its_own()};

Tensor batch(std::uint64_t k, std::int64_t rows = 20) {
  return Random(3, k).uniform({rows, dimension}, 0, 1);
}

/// psi of a layer becomes these.
void set_psi(const RestrictedPotential& potential, std::int64_t layer, const Tensor& values) {
  Tensor psi = potential.psi(layer);
  std::ranges::copy(values.values(), psi.data());
}

void ascend(RestrictedPotential& potential, double rate, std::uint64_t steps, std::int64_t rows) {
  RestrictedAscent ascent(potential, rate, 0.5);
  ascent.begin();
  for (std::uint64_t k = 0; k < steps; ++k) ascent.step(batch(k, rows));
  ascent.finish();
}

/// The shares of a batch that are sent to each node of a layer.
std::vector<double> shares(const RestrictedPotential& potential, const Tensor& x, std::int64_t layer) {
  std::vector<double> found(static_cast<std::size_t>(potential.tree().size(layer)));
  const std::vector<std::vector<std::int64_t>> nodes = potential.nodes_of(x);
  for (const std::int64_t node : nodes[static_cast<std::size_t>(layer)])
    found[static_cast<std::size_t>(node)] += 1 / static_cast<double>(x.dim(0));
  return found;
}

}  // namespace

TEST_CASE(
    "with one cluster, one for each point, or none the transform is the single layer's, with its H and gradient") {
  const Tensor psi = Random(2, 1).uniform({count}, -1, real(0.2)), x = batch(7);
  for (const Weights& weights : {Weights{}, random_weights(count, 1)})
    for (const ot::Cost& cost : {ot::Cost(ot::CostScale::inverse_alpha),
                                 ot::Cost(ot::CostScale::one, std::make_shared<ot::CityblockCost>())}) {
      const ot::Target target = target_of(weights, cost);
      const ot::CTransform single = ot::c_transform(target, x, psi, 0);
      for (const ClusterTree::Parents& parents : {one_cluster, own_clusters, ClusterTree::Parents{}}) {
        const RestrictedPotential potential(target, parents);
        // Constants, and what is of a single child, have no say.
        for (std::int64_t layer = 0; layer < potential.tree().layers(); ++layer)
          set_psi(potential, layer, potential.tree().size(layer) == count ? psi : Tensor::full({1}, 3));
        if (parents == own_clusters) set_psi(potential, 1, Tensor::full({count}, 5));
        CHECK(potential.nodes_of(x).back() == single.winners);
        const auto value_and_gradient = [&](const auto& H) {
          engine::Tape tape;
          Var at = x.clone();
          tape.watch(at);
          const Var value = H(at);
          return std::pair(value.value().item(), tape.gradient(value, {at}).front().value());
        };
        const auto restricted = value_and_gradient([&](const Var& at) { return potential.semidual(at); });
        const auto H = value_and_gradient([&](const Var& at) { return ot::semidual(target, at, psi, 0); });
        CHECK(restricted.first == doctest::Approx(H.first).epsilon(1e-5));
        CHECK(distance(restricted.second, H.second) < 1e-6);
      }
    }
}

TEST_CASE("a point goes to the least node of each layer among the children of that before it, and none that is empty") {
  // Two clusters on the line, about 0 and about 10; the first point of the second weighs nothing.
  const ot::Target line(std::vector<real>{-1, 1, 9, 11}, 4, 1, ot::CostScale::one, {0.25, 0.25, 0, 0.5});
  const RestrictedPotential potential(line, {{0, 0, 1, 1}});
  CHECK(potential.tree().nodes(0).weights()[1] == 0.5);
  CHECK(potential.tree().nodes(0).cost(std::vector<real>{1}, std::vector<real>{11}) == 100);
  const Tensor x({4, 1}, std::vector<real>{0.5, 5, 6, 9});
  CHECK(potential.nodes_of(x)[0] == std::vector<std::int64_t>{0, 0, 1, 1});
  CHECK(potential.nodes_of(x)[1] == std::vector<std::int64_t>{1, 1, 3, 3});
  set_psi(potential, 0, Tensor({2}, std::vector<real>{0, 1000}));
  set_psi(potential, 1, Tensor({4}, std::vector<real>{50, 0, 0, 0}));
  CHECK(potential.nodes_of(x)[0] == std::vector<std::int64_t>{1, 1, 1, 1});
  set_psi(potential, 0, Tensor({2}, std::vector<real>{1000, 0}));
  CHECK(potential.nodes_of(x)[1] == std::vector<std::int64_t>{0, 0, 0, 0});
}

TEST_CASE("ascended, each node is hit as often as it weighs, and the map then costs what is transported at least") {
  engine::set_threads(1);  // batches are small
  const ot::Target uniform = target_of(), weighed = target_of(random_weights(count, 2));
  for (const ot::Target* target : {&uniform, &weighed})
    for (const std::vector<std::int64_t>& branches : {std::vector<std::int64_t>{8}, std::vector<std::int64_t>{3, 3}}) {
      RestrictedPotential potential(*target, ot::nested_clusters(ot::PointIndex(*target), branches));
      CHECK(potential.tree().layers() == std::ssize(branches) + 1);
      ascend(potential, 5, 2000, 20);
      ascend(potential, 1, 2000, 20);
      const std::int64_t drawn = 20000;
      const Tensor x = batch(99999, drawn);
      for (std::int64_t layer = 0; layer < potential.tree().layers(); ++layer) {
        const std::vector<double> found = shares(potential, x, layer);
        double chi_squared = 0;  // sum (share - nu)^2 / nu
        for (std::size_t i = 0; i < found.size(); ++i) {
          const double nu = potential.tree().nodes(layer).weights()[i];
          chi_squared += (found[i] - nu) * (found[i] - nu) / nu;
        }
        CHECK(chi_squared < 0.02);
      }
      // With that layer's shares as the weights, since the batch is carried to them and not to nu.
      const Tensor few = batch(99998, 1000);
      const std::vector<double> sent = shares(potential, few, potential.tree().layers() - 1), mu(1000, 1e-3);
      const double W = ot::exact_transport(ot::cost_matrix(*target, few), mu, sent).value;
      double cost = 0;
      const std::vector<std::int64_t> to = potential.nodes_of(few).back();
      for (std::size_t b = 0; b < to.size(); ++b) cost += 1e-3 * target->cost(few.data() + b * dimension, to[b]);
      CHECK(cost >= W * (1 - 1e-6));
      CHECK(cost < 1.5 * W);
      CHECK(potential.semidual(few).value().item() == doctest::Approx(cost).epsilon(0.1));
    }
}

TEST_CASE("a step is (102) of the nodes that the batch comes to, with their own counts, and the end their mean") {
  const ot::Target line(std::vector<real>{-1, 1, 9, 11}, 4, 1, ot::CostScale::one, {0.1, 0.3, 0.2, 0.4});
  RestrictedPotential potential(line, {{0, 0, 1, 1}});
  RestrictedAscent ascent(potential, 2, 0.5);
  ascent.begin();
  const auto psi = [&](std::int64_t layer) { return vector_of(potential.psi(layer)); };
  const auto check = [&](std::int64_t layer, const std::vector<double>& expected) {
    CHECK(distance(psi(layer), expected) < 1e-6);
  };
  ascent.step(Tensor({2, 1}, std::vector<real>{-1, 1}));  // both to cluster 0, one to each of its points
  check(0, {2 * (0.4 - 1), 2 * 0.6});
  check(1, {2 * 0.25 - 1, 2 * 0.75 - 1, 0, 0});
  ascent.step(Tensor({2, 1}, std::vector<real>{NAN, 8}));  // the second step of layer 0, the first of cluster 1
  const double second = 2 / std::sqrt(2.0) / 2;
  check(0, {-1.2 + second * 0.4, 1.2 + second * (0.6 - 1)});
  check(1, {-0.5, 0.5, 1 * (1.0 / 3 - 1), 2.0 / 3});
  ascent.finish();
  check(0, {-1.2 + second * 0.4 / 2, 1.2 - second * 0.4 / 2});
  check(1, {-0.5, 0.5, -2.0 / 3, 2.0 / 3});
  ascent.begin();
  ascent.finish();
  check(0, {-1.2 + second * 0.4 / 2, 1.2 - second * 0.4 / 2});
}

TEST_CASE("clusters within clusters part all points, and are the same whatever the threads") {
  const ot::Target target = target_of();
  const ot::PointIndex index(target);
  const std::vector<std::int64_t> branches{4, 3};
  engine::set_threads(1);
  const ClusterTree::Parents parents = ot::nested_clusters(index, branches);
  engine::set_threads(2);
  CHECK(ot::nested_clusters(index, branches) == parents);
  RestrictedPotential two(target, parents);
  ascend(two, 3, 20, 20);
  const std::vector<std::vector<std::int64_t>> of_two = two.nodes_of(batch(1));
  engine::set_threads(1);
  RestrictedPotential one(target, parents);
  ascend(one, 3, 20, 20);
  CHECK(one.nodes_of(batch(1)) == of_two);
  for (const std::int64_t layer : {0, 1, 2}) CHECK(same(one.psi(layer), two.psi(layer)));

  REQUIRE(parents.size() == 2);
  CHECK(parents[1].size() == count);
  CHECK(parents[0].size() <= 12);
  CHECK(1 + std::ranges::max(parents[0]) == 4);
  std::vector<std::int64_t> sizes(parents[0].size());
  for (const std::int64_t node : parents[1]) ++sizes[static_cast<std::size_t>(node)];
  CHECK(std::ranges::min(sizes) >= 2);
  CHECK(one.tree().children(1, 2).size() <= 3);
  for (const std::int64_t node : one.tree().children(1, 2)) CHECK(parents[0][static_cast<std::size_t>(node)] == 2);
}

TEST_CASE("a potential restored has the same tree and bits, and a state that does not fit is refused") {
  const ot::Target target = target_of();
  RestrictedPotential potential(target, ot::nested_clusters(ot::PointIndex(target), std::vector<std::int64_t>{5}));
  ascend(potential, 3, 50, 20);
  ot::NamedTensors state = potential.state();
  std::vector<std::int64_t> others(count);
  for (std::int64_t j = 0; j < count; ++j) others[static_cast<std::size_t>(j)] = j % 5;
  RestrictedPotential restored(target, {others});
  restored.restore(state);
  CHECK(restored.nodes_of(batch(4)) == potential.nodes_of(batch(4)));
  CHECK(restored.semidual(batch(4)).value().item() == potential.semidual(batch(4)).value().item());

  RestrictedPotential other(target, one_cluster);
  CHECK_NOTHROW(other.restore(state));
  state[0].second = Tensor::zeros({4});
  CHECK_THROWS_WITH_AS(other.restore(state), "tensor psi.layer.0 is [4], it should be [5]", engine::Error);
  state[2].second = Tensor::full({count}, 70);
  CHECK_THROWS_WITH_AS(other.restore(state), "[cluster tree] parents must be among the 60 nodes above: 70",
                       engine::Error);
  CHECK_THROWS_WITH_AS(RestrictedPotential(target, {{0, 0}}),
                       "[cluster tree] each of the 60 points must have a parent: 2 have", engine::Error);
}

TEST_CASE("rows of NaN come to no node and have no cost, and what does not fit is refused") {
  const ot::Target target = target_of();
  RestrictedPotential potential(target, one_cluster);
  Tensor x = batch(1, 2);
  x.data()[4] = NAN;
  CHECK(potential.nodes_of(x)[1][1] == -1);
  CHECK(potential.nodes_of(x)[1][0] >= 0);
  CHECK(std::isnan(potential.semidual(x).value().item()));
  CHECK_THROWS_WITH_AS(potential.nodes_of(Tensor::zeros({2, 5})),
                       "[c_transform] x must be [B, d] with d the target's dimension: [2, 5] against 3", engine::Error);
  CHECK_THROWS_WITH_AS(RestrictedAscent(potential, 0, 0.5),
                       "[restricted ascent] the rate must be positive and finite: 0", engine::Error);
  CHECK_THROWS_WITH_AS(RestrictedAscent(potential, 1, 2), "[restricted ascent] the decay must be in [0, 1]: 2",
                       engine::Error);
}
