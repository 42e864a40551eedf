#include "ot/exact/exact.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "tests/ot/oracle.h"
#include "tests/ot/transport_oracle.h"
#include "tests/ot/weights.h"

using namespace ot;
using namespace ot::testing;
using doctest::Contains;
using engine::Error;

namespace {
std::vector<double> random_points(std::size_t n, std::uint64_t stream) {
  std::vector<double> points;
  for (std::size_t i = 0; i < n; ++i) points.push_back(Random(51, stream).normal(i));
  return points;
}

CostMatrix costs_of(std::size_t n, std::size_t m, const std::function<double(std::size_t, std::size_t)>& cost) {
  std::vector<double> values;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < m; ++j) values.push_back(cost(i, j));
  return {static_cast<std::int64_t>(n), static_cast<std::int64_t>(m), values};
}

/// Costs between points of a square, where transport is not by sorting.
CostMatrix plane_costs(std::size_t n, std::size_t m, std::uint64_t stream) {
  return costs_of(n, m, [=](std::size_t i, std::size_t j) {
    const Random x(52, 2 * stream), y(52, 2 * stream + 1);
    return std::hypot(x.uniform(2 * i) - y.uniform(2 * j), x.uniform(2 * i + 1) - y.uniform(2 * j + 1));
  });
}

/// That the plan has these marginals and the potentials are feasible and of the same value: a proof of optimality.
void check_optimal(const ExactTransport& exact, const CostMatrix& costs, const Weights& mu, const Weights& nu) {
  Weights given(mu.size()), taken(nu.size());
  std::vector<double> buffer(nu.size());
  double value = 0, dual = 0, largest = 0, worst = 0;
  for (const Flow& flow : exact.plan) {
    CHECK(flow.mass > 0);
    given[static_cast<std::size_t>(flow.source)] += flow.mass;
    taken[static_cast<std::size_t>(flow.target)] += flow.mass;
    value += flow.mass * costs.row(flow.source, buffer.data())[flow.target];
  }
  for (std::size_t i = 0; i < mu.size(); ++i) {
    const double* row = costs.row(static_cast<std::int64_t>(i), buffer.data());
    for (std::size_t j = 0; j < nu.size(); ++j) {
      largest = std::max(largest, std::abs(row[j]));
      worst = std::max(worst, exact.phi[i] + exact.psi[j] - row[j]);
    }
    dual += mu[i] * exact.phi[i];
  }
  for (std::size_t j = 0; j < nu.size(); ++j) dual += nu[j] * exact.psi[j];
  CHECK(distance(given, mu) <= 1e-9);
  CHECK(distance(taken, nu) <= 1e-9);
  CHECK(worst <= 1e-14 * largest);
  CHECK(exact.value == doctest::Approx(value).epsilon(1e-12));
  CHECK(std::abs(exact.value - dual) <= 1e-9 * largest);
  CHECK(exact.plan.size() <= mu.size() + nu.size() - 1);
}
}  // namespace

TEST_CASE("between few points of equal weight the network simplex finds the best of all permutations") {
  for (std::size_t n = 1; n <= 6; ++n) {
    CAPTURE(n);
    const CostMatrix costs = plane_costs(n, n, n);
    std::vector<double> buffer(n);
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    double best = 1e9;
    do {
      double value = 0;
      for (std::size_t i = 0; i < n; ++i)
        value += costs.row(static_cast<std::int64_t>(i), buffer.data())[order[i]] / static_cast<double>(n);
      best = std::min(best, value);
    } while (std::next_permutation(order.begin(), order.end()));
    const ExactTransport exact = exact_transport(costs, uniform_weights(n), uniform_weights(n));
    CHECK(exact.value == doctest::Approx(best).epsilon(1e-12));
    CHECK(exact.plan.size() == n);
    check_optimal(exact, costs, uniform_weights(n), uniform_weights(n));
  }
}

TEST_CASE("potentials prove the network simplex's plan optimal, whatever the sizes and the weights") {
  const auto check = [](const CostMatrix& costs, const Weights& mu, const Weights& nu) {
    check_optimal(exact_transport(costs, mu, nu), costs, mu, nu);
  };
  check(plane_costs(60, 60, 10), uniform_weights(60), uniform_weights(60));
  check(plane_costs(60, 45, 11), uniform_weights(60), uniform_weights(45));
  check(plane_costs(40, 70, 12), random_weights(40, 1), random_weights(70, 2));
  check(plane_costs(90, 70, 18), random_weights(90, 5), random_weights(70, 6));  // too many to list all arcs
  check(costs_of(80, 80, [](std::size_t, std::size_t) { return 0.0; }), uniform_weights(80), uniform_weights(80));
  check(costs_of(70, 60, [](std::size_t i, std::size_t j) { return static_cast<double>(i % 3 != j % 3); }),
        random_weights(70, 7), uniform_weights(60));
  check(plane_costs(1, 30, 13), uniform_weights(1), random_weights(30, 3));
  check(plane_costs(30, 1, 14), random_weights(30, 3), uniform_weights(1));
  Weights gaps = random_weights(50, 4);
  for (std::size_t i = 0; i + 1 < gaps.size(); i += 2) gaps[i + 1] += gaps[i], gaps[i] = 0;
  check(plane_costs(50, 50, 15), gaps, gaps);
  check(costs_of(30, 30, [](std::size_t, std::size_t) { return 0.0; }), uniform_weights(30), uniform_weights(30));
  check(costs_of(30, 20, [](std::size_t i, std::size_t j) { return static_cast<double>(i % 3 != j % 3); }),
        uniform_weights(30), uniform_weights(20));
  check(costs_of(20, 20, [](std::size_t i, std::size_t j) { return -1e6 * std::cos(static_cast<double>(i * j)); }),
        uniform_weights(20), uniform_weights(20));
}

TEST_CASE("arcs that the first list lacks are priced in") {
  // Far apart in one direction: costs are nearly equal, and which are the least says little.
  const std::size_t n = 400;
  const std::vector<double> x = random_points(n, 8), y = random_points(n, 9);
  const CostMatrix costs = costs_of(n, n, [&](std::size_t i, std::size_t j) {
    return std::hypot(x[i] - y[j], 100 + static_cast<double>(i % 20) - static_cast<double>(j % 19));
  });
  const ExactTransport exact = exact_transport(costs, uniform_weights(n), uniform_weights(n));
  CHECK(exact.rounds > 1);
  check_optimal(exact, costs, uniform_weights(n), uniform_weights(n));
}

TEST_CASE("transport on the line is that of the network simplex, for any convex cost") {
  for (const double p : {1.0, 1.5, 2.0, 3.0}) {
    CAPTURE(p);
    const auto cost = [p](double x, double y) { return std::pow(std::abs(x - y), p); };
    const auto compare = [&](const std::vector<double>& x, const std::vector<double>& y, const Weights& mu,
                             const Weights& nu) {
      const CostMatrix costs =
          costs_of(x.size(), y.size(), [&](std::size_t i, std::size_t j) { return cost(x[i], y[j]); });
      const ExactTransport sorted = exact_transport_on_line(x, y, mu, nu, cost);
      check_optimal(sorted, costs, mu, nu);
      CHECK(sorted.value == doctest::Approx(exact_transport(costs, mu, nu).value).epsilon(1e-10));
    };
    compare(random_points(40, 0), random_points(40, 1), uniform_weights(40), uniform_weights(40));
    compare(random_points(30, 2), random_points(50, 3), uniform_weights(30), uniform_weights(50));
    compare(random_points(25, 4), random_points(35, 5), random_weights(25, 6), random_weights(35, 7));
    compare({1, 1, 1, 2}, {1, 2, 2, 2}, uniform_weights(4), uniform_weights(4));
    compare({0, 5, 1}, {3}, {0, 0.5, 0.5}, uniform_weights(1));
  }
}

TEST_CASE("sorted points are paired in order, and a shift costs its power") {
  const std::vector<double> x{3, 1, 2}, y{11, 13, 12};
  const ExactTransport exact = exact_transport_on_line(x, y, uniform_weights(3), uniform_weights(3),
                                                       [](double a, double b) { return (a - b) * (a - b); });
  CHECK(exact.value == doctest::Approx(100));
  REQUIRE(exact.plan.size() == 3);
  CHECK(exact.plan[0].target == 1);
  CHECK(exact.plan[1].target == 0);
  CHECK(exact.plan[2].target == 2);
  CHECK(exact.plan[0].mass == doctest::Approx(1.0 / 3));
}

namespace {
/// Points and weights of many kinds, which a number decides.
struct RandomSets {
  std::size_t n, m;
  std::vector<double> x, y;
  Weights mu, nu;
  bool rounded_weights;

  explicit RandomSets(std::uint64_t number) : random_(53, number) {
    n = 1 + below(60), m = below(4) == 0 ? n : 1 + below(60);
    const std::size_t kind = below(5), weights = below(5);
    x = points(n, kind), y = points(m, kind);
    mu = masses(n, weights), nu = masses(m, weights);
    rounded_weights = weights != 0 && weights != 3;
  }

  double largest_cost() const {
    double largest = 0;
    const CostMatrix all = costs();
    for (std::size_t i = 0; i < n; ++i)
      largest = std::max(largest, *std::max_element(all.row(static_cast<std::int64_t>(i), nullptr),
                                                    all.row(static_cast<std::int64_t>(i), nullptr) + m));
    return largest;
  }

  CostMatrix costs() const {
    return costs_of(n, m, [this](std::size_t i, std::size_t j) {
      return std::pow(x[2 * i] - y[2 * j], 2) + std::pow(x[2 * i + 1] - y[2 * j + 1], 2);
    });
  }

 private:
  double uniform() { return random_.uniform(draws_++); }
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(uniform() * static_cast<double>(count)); }

  /// In a square, on a few places, at distances of all orders of magnitude, in two squares far from each other, and far
  /// from 0.
  std::vector<double> points(std::size_t count, std::size_t kind) {
    std::vector<double> result;
    for (std::size_t k = 0; k < count; ++k) {
      const double order = std::pow(10, -6 + 12 * uniform());
      const double far = k % 2 == 0 ? 0 : 1e6;
      for (int c = 0; c < 2; ++c)
        result.push_back(kind == 0   ? uniform()
                         : kind == 1 ? static_cast<double>(below(4))
                         : kind == 2 ? order * (uniform() - 0.5)
                         : kind == 3 ? far + uniform()
                                     : 1e7 + uniform());
    }
    return result;
  }

  /// All the same, random, half of them 0, a single one, and of all orders of magnitude down to 1e-30.
  Weights masses(std::size_t count, std::size_t kind) {
    Weights result;
    for (std::size_t k = 0; k < count; ++k)
      result.push_back(kind == 0 ? 1 : kind == 4 ? std::pow(10, -30 * uniform()) : uniform());
    const std::size_t kept = below(count);
    for (std::size_t k = 0; k < count; ++k)
      if (k != kept && (kind == 3 || (kind == 2 && uniform() < 0.5))) result[k] = 0;
    const double sum = std::accumulate(result.begin(), result.end(), 0.0);
    for (double& mass : result) mass /= sum;
    return result;
  }

  Random random_;
  std::uint64_t draws_ = 0;
};
}  // namespace

TEST_CASE(
    "exact transport is exact and proves it: zeros, ties, single masses, costs twelve orders of magnitude apart") {
  int unproven = 0;
  for (std::uint64_t number = 0; number < 500; ++number) {
    CAPTURE(number);
    const RandomSets sets(number);
    const CostMatrix costs = sets.costs();
    const ExactTransport exact = exact_transport(costs, sets.mu, sets.nu);
    const auto value = static_cast<double>(transport_value(costs, sets.mu, sets.nu));
    // Sums of weights are 1 but for a last digit, whose way is nobody's.
    CHECK(std::abs(exact.value - value) <= 1e-9 * value + (sets.rounded_weights ? 0x1p-53 * sets.largest_cost() : 0));
    unproven += !exact.proven();
    Weights given(sets.n), taken(sets.m);
    for (const Flow& flow : exact.plan) {
      given[static_cast<std::size_t>(flow.source)] += flow.mass;
      taken[static_cast<std::size_t>(flow.target)] += flow.mass;
    }
    CHECK(distance(given, sets.mu) <= 1e-14);
    CHECK(distance(taken, sets.nu) <= 1e-14);
    double violation = 0;
    for (std::size_t i = 0; i < sets.n; ++i) {
      const double* row = costs.row(static_cast<std::int64_t>(i), nullptr);
      for (std::size_t j = 0; j < sets.m; ++j) {
        const double scale = std::abs(exact.phi[i]) + std::abs(exact.psi[j]) + row[j];
        violation = std::max(violation, (exact.phi[i] + exact.psi[j] - row[j]) / std::max(scale, 1e-300));
      }
    }
    CHECK(violation <= 1e-15);
  }
  CHECK(unproven <= 10);
}

TEST_CASE("a pair of points far away does not touch the transport of the others") {
  const std::size_t n = 41;
  const std::vector<double> u = random_points(2 * n, 10), v = random_points(2 * n, 11);
  double near_alone = 0;
  for (const double far : {1e3, 1e5, 1e6, 1e8}) {
    CAPTURE(far);
    const auto value = [&](std::size_t count) {
      const auto place = [&](const std::vector<double>& points, std::size_t k) { return k + 1 < n ? points[k] : far; };
      const CostMatrix costs = costs_of(count, count, [&](std::size_t i, std::size_t j) {
        return std::pow(place(u, i) - place(v, j), 2) + std::pow(place(u, i) - place(v, j), 2) +
               std::pow(i + 1 < n && j + 1 < n ? u[n + i] - v[n + j] : 0, 2);
      });
      const ExactTransport exact = exact_transport(costs, uniform_weights(count), uniform_weights(count));
      CHECK(exact.proven());
      return exact.value * static_cast<double>(count);
    };
    near_alone = value(n - 1);
    CHECK(value(n) == doctest::Approx(near_alone).epsilon(1e-12));
  }
}

TEST_CASE("points that weigh nothing take no part and get their c-transforms") {
  const CostMatrix costs = plane_costs(30, 40, 16);
  Weights mu(30, 0), nu(40, 0);
  mu[3] = 1;
  nu[7] = 1;
  const ExactTransport exact = exact_transport(costs, mu, nu);
  std::vector<double> buffer(40);
  CHECK(exact.value == costs.row(3, buffer.data())[7]);
  REQUIRE(exact.plan.size() == 1);
  CHECK(exact.plan[0].source == 3);
  CHECK(exact.plan[0].target == 7);
  for (std::size_t i = 0; i < 30; ++i) {
    const double* row = costs.row(static_cast<std::int64_t>(i), buffer.data());
    CHECK(exact.phi[i] == row[7] - exact.psi[7]);
    for (std::size_t j = 0; j < 40; ++j) CHECK(exact.phi[i] + exact.psi[j] <= row[j] + 1e-15);
  }
}

TEST_CASE("so many sources that each weighs less than the points are many keep their flows") {
  const std::size_t n = 20000;
  const ExactTransport exact =
      exact_transport(plane_costs(n, 5, 17), random_weights(static_cast<std::int64_t>(n), 8), random_weights(5, 9));
  CHECK(exact.plan.size() >= n);
  CHECK(exact.proven());
}

TEST_CASE("exact transport says how much of the mass has a way, from none to all, and which round it is in") {
  std::vector<ExactProgress> told;
  const auto listen = [&](const ExactProgress& progress) { return told.push_back(progress), true; };
  CHECK(!exact_transport(plane_costs(60, 40, 21), uniform_weights(60), uniform_weights(40), listen).plan.empty());
  REQUIRE(told.size() >= 2);
  CHECK(told.front().rounds == 0);
  CHECK(told.front().unplaced == 1);
  CHECK(told.back().rounds >= 1);
  CHECK(told.back().unplaced == 0);
}

TEST_CASE("exact transport can be stopped, and refuses what it can't do") {
  const CostMatrix costs = plane_costs(4, 4, 20);
  CHECK(exact_transport(costs, uniform_weights(4), uniform_weights(4), [](const ExactProgress&) {
          return false;
        }).plan.empty());
  CHECK_THROWS_WITH_AS(exact_transport(costs, uniform_weights(3), uniform_weights(4)),
                       Contains("one weight for each source point: 3 weights against 4"), Error);
  CHECK_THROWS_WITH_AS(exact_transport(costs, uniform_weights(4), Weights{0.5, 0.5, 0.5, 0.5}),
                       Contains("target weights must sum to 1: their sum is 2"), Error);
  const CostMatrix large(20000, 10000, [](const CostTile&, double*) {});
  CHECK_THROWS_WITH_AS(exact_transport(large, uniform_weights(20000), uniform_weights(10000)),
                       Contains("20000 x 10000 points are too many: their product must be at most 100000000"), Error);
  const CostMatrix undefined(2, 3, [](const CostTile& tile, double* out) {
    for (std::int64_t k = 0; k < tile.rows * 3; ++k) out[k] = tile.first_row + k / 3 == 1 ? NAN : 0;
  });
  CHECK_THROWS_WITH_AS(exact_transport(undefined, uniform_weights(2), uniform_weights(3)),
                       Contains("costs must be finite: that of source point 1 and target point 0 is nan"), Error);
  const auto no_cost = [](double, double) { return 0.0; };
  CHECK_THROWS_WITH_AS(
      exact_transport_on_line(uniform_weights(2), uniform_weights(2), uniform_weights(2), Weights{1, -1}, no_cost),
      Contains("target weights must be finite and not negative: -1"), Error);
}
