#include "ot/sinkhorn/sinkhorn.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <new>
#include <utility>

#include <doctest/doctest.h>

#include "engine/parallel.h"
#include "tests/ot/oracle.h"
#include "tests/ot/weights.h"

using namespace ot;
using namespace ot::testing;
using doctest::Contains;
using engine::Error;

namespace {
CostMatrix random_costs(std::int64_t n, std::int64_t m, std::uint64_t stream) {
  std::vector<double> values;
  for (std::int64_t k = 0; k < n * m; ++k) values.push_back(Random(41, stream).uniform(static_cast<std::uint64_t>(k)));
  return {n, m, values};
}

/// |x_i - y_j|^2 on the line.
CostMatrix line_costs(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<double> values;
  for (const double a : x)
    for (const double b : y) values.push_back((a - b) * (a - b));
  return {static_cast<std::int64_t>(x.size()), static_cast<std::int64_t>(y.size()), values};
}

/// (13) iterated to its fixed point in long double, from the definition.
struct Reference {
  std::vector<long double> phi, psi;
  long double value = 0;

  Reference(const CostMatrix& costs, const Weights& mu, const Weights& nu, long double lambda, int iterations)
      : phi(mu.size()), psi(nu.size()) {
    std::vector<double> buffer(nu.size());
    const auto cost = [&](std::size_t i, std::size_t j) {
      return costs.row(static_cast<std::int64_t>(i), buffer.data())[j];
    };
    for (int k = 0; k < iterations; ++k) {
      for (std::size_t i = 0; i < mu.size(); ++i)
        phi[i] = softmin(nu, lambda, [&](std::size_t j) { return cost(i, j) - psi[j]; });
      for (std::size_t j = 0; j < nu.size(); ++j)
        psi[j] = softmin(mu, lambda, [&](std::size_t i) { return cost(i, j) - phi[i]; });
    }
    for (std::size_t i = 0; i < mu.size(); ++i) value += mu[i] * phi[i];
    for (std::size_t j = 0; j < nu.size(); ++j) value += nu[j] * psi[j];
  }

  template <class Values>
  static long double softmin(const Weights& weights, long double lambda, const Values& u) {
    long double least = u(0), sum = 0;
    for (std::size_t k = 1; k < weights.size(); ++k) least = std::min<long double>(least, u(k));
    for (std::size_t k = 0; k < weights.size(); ++k) sum += weights[k] * std::exp((least - u(k)) / lambda);
    return least - lambda * std::log(sum);
  }
};

/// The largest difference of the pairs (a + t, b - t) and (phi, psi), with t such that the first elements of a agree.
double pair_distance(const std::vector<double>& a, const std::vector<double>& b, const Reference& reference) {
  const long double t = reference.phi[0] - a[0];
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, static_cast<double>(std::abs(a[i] + t - reference.phi[i])));
  for (std::size_t j = 0; j < b.size(); ++j)
    worst = std::max(worst, static_cast<double>(std::abs(b[j] - t - reference.psi[j])));
  return worst;
}

constexpr double tight = 2e-6;  // the marginal error that float reaches on such small sets, with a margin
constexpr double all = 4e9;     // bytes that any of these problems may hold
}  // namespace

TEST_CASE("Sinkhorn's potentials and value are those of a long double iteration, weights of zero included") {
  const std::int64_t n = 9, m = 6;
  const CostMatrix costs = random_costs(n, m, 0);
  const Weights mu = random_weights(n, 0);
  Weights nu = random_weights(m, 1);
  nu[1] += nu[4];
  nu[4] = 0;
  for (const double lambda : {10.0, 1.0, 0.1, 0.02}) {
    const Reference reference(costs, mu, nu, lambda, 3000);
    for (const auto& way : {std::pair(1.0, all), std::pair(0.5, all), std::pair(1.0, 0.0)}) {
      const double scaling = way.first, most_held = way.second;
      CAPTURE(lambda);
      CAPTURE(scaling);
      CAPTURE(most_held);
      const SinkhornResult result =
          sinkhorn(costs, mu, nu, {.lambda = lambda, .tolerance = tight, .scaling = scaling, .most_held = most_held});
      CHECK(result.converged);
      CHECK(result.duality.marginal_error <= 2 * tight);
      CHECK(pair_distance(result.duality.phi, result.psi, reference) <= 1e-4 * lambda + 1e-6);
      CHECK(result.duality.dual == doctest::Approx(static_cast<double>(reference.value)).epsilon(1e-7));
      CHECK(result.duality.dual <= static_cast<double>(reference.value) + 1e-14);
      CHECK(result.duality.primal >= static_cast<double>(reference.value) - 1e-14);
      CHECK(result.duality.gap() <= 1e-4 * lambda + 1e-6);
    }
  }
}

TEST_CASE("two points exchange a share of mass that is known") {
  const CostMatrix costs(2, 2, {0, 1, 1, 0});
  for (const double lambda : {2.0, 0.3, 0.05, 1e-3, 1e-5}) {
    CAPTURE(lambda);
    const SinkhornResult result = sinkhorn(costs, uniform_weights(2), uniform_weights(2), {.lambda = lambda});
    const double share = 1 / (1 + std::exp(1 / lambda));
    CHECK(result.converged);
    CHECK(result.duality.dual == doctest::Approx(-lambda * std::log((1 + std::exp(-1 / lambda)) / 2)).epsilon(1e-9));
    CHECK(result.duality.transport_cost == doctest::Approx(share).epsilon(1e-6));
    CHECK(result.duality.gap() <= 1e-9);
  }
}

TEST_CASE("at a small lambda the value lies between the sorted cost and that plus lambda log n") {
  std::vector<double> x, y;
  for (std::uint64_t i = 0; i < 40; ++i) x.push_back(Random(42, 0).normal(i)), y.push_back(1 + Random(42, 1).normal(i));
  const CostMatrix costs = line_costs(x, y);
  std::sort(x.begin(), x.end());
  std::sort(y.begin(), y.end());
  double sorted = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sorted += (x[i] - y[i]) * (x[i] - y[i]) / 40;
  for (const double lambda : {1e-2, 1e-3, 1e-4, 1e-5}) {
    CAPTURE(lambda);
    const SinkhornResult result = sinkhorn(costs, uniform_weights(40), uniform_weights(40),
                                           {.lambda = lambda, .iterations = 2000, .tolerance = 1e-4});
    CHECK(result.duality.dual <= sorted + lambda * std::log(40));
    CHECK(result.duality.primal >= sorted - 1e-12);
    CHECK(result.duality.transport_cost >= sorted - 1e-12);
    CHECK(result.duality.dual == doctest::Approx(sorted).epsilon(0.02));
  }
}

TEST_CASE("without lambda scaling the first marginals underflow, and the potentials are right all the same") {
  const CostMatrix costs = line_costs({0, 1, 2}, {0.1, 1.1, 2.1, 40});
  const Weights mu = uniform_weights(3), nu{0.3, 0.3, 0.3, 0.1};
  const double lambda = 0.01;  // e^{-38^2 / 0.01} is far below any double
  const Reference reference(costs, mu, nu, lambda, 20000);
  const SinkhornResult result = sinkhorn(costs, mu, nu, {.lambda = lambda, .tolerance = tight, .scaling = 1});
  CHECK(result.converged);
  CHECK(pair_distance(result.duality.phi, result.psi, reference) <= 1e-5);
}

TEST_CASE("a lambda of 1e-4 of the mean cost has the potentials of a long double iteration, held or not") {
  // Between pairs that lie near each other and far from the others: few iterations reach the fixed point.
  std::vector<double> x, y;
  for (std::uint64_t i = 0; i < 16; ++i) {
    x.push_back(static_cast<double>(i));
    y.push_back(static_cast<double>(i) + 0.02 * Random(46, 0).normal(i));
  }
  const CostMatrix costs = line_costs(x, y);
  double mean = 0;
  for (const double a : x)
    for (const double b : y) mean += (a - b) * (a - b) / 256;
  const double lambda = 1e-4 * mean;
  const Weights mu = uniform_weights(16), nu = uniform_weights(16);
  const Reference reference(costs, mu, nu, lambda, 3000);
  for (const double most_held : {all, 0.0}) {
    CAPTURE(most_held);
    const SinkhornResult result =
        sinkhorn(costs, mu, nu, {.lambda = lambda, .tolerance = tight, .most_held = most_held});
    CHECK(result.converged);
    CHECK(result.duality.marginal_error <= 2 * tight);
    CHECK(result.duality.dual == doctest::Approx(static_cast<double>(reference.value)).epsilon(1e-7));
    CHECK(result.duality.gap() <= 1e-4 * lambda);
  }
}

TEST_CASE("steps beyond the c-transforms save most of the iterations that plain ones take") {
  // In long double, from the definition.
  std::vector<double> x, y;
  for (std::uint64_t i = 0; i < 60; ++i) x.push_back(Random(47, 0).normal(i)), y.push_back(1 + Random(47, 1).normal(i));
  const CostMatrix costs = line_costs(x, y);
  const Weights mu = uniform_weights(60);
  const double lambda = 0.02;
  const SinkhornResult result = sinkhorn(costs, mu, mu, {.lambda = lambda, .tolerance = 1e-5});
  CHECK(result.converged);
  const Reference plain(costs, mu, mu, lambda, 2 * static_cast<int>(result.iterations));
  CHECK(result.duality.dual > static_cast<double>(plain.value));
}

TEST_CASE("symmetric Sinkhorn agrees with Sinkhorn between equal measures, in a few iterations") {
  std::vector<double> x;
  for (std::uint64_t i = 0; i < 25; ++i) x.push_back(Random(43, 0).normal(i));
  const CostMatrix costs = line_costs(x, x);
  const Weights mu = random_weights(25, 3);
  for (const auto& way : {std::pair(1.0, all), std::pair(0.1, 0.0), std::pair(0.01, all)}) {
    const double lambda = way.first, most_held = way.second;
    CAPTURE(lambda);
    const SinkhornResult one =
        symmetric_sinkhorn(costs, mu, {.lambda = lambda, .tolerance = tight, .most_held = most_held});
    const SinkhornResult two = sinkhorn(costs, mu, mu, {.lambda = lambda, .tolerance = tight});
    CHECK(one.converged);
    CHECK(one.iterations <= 200);
    CHECK(one.duality.dual == doctest::Approx(two.duality.dual).epsilon(1e-6));
    CHECK(distance(one.psi, one.duality.phi) <= 1e-5 * lambda + 1e-6);
    CHECK(one.duality.gap() <= 1e-5 * lambda + 1e-6);
  }
}

TEST_CASE("scaled costs at a scaled lambda have scaled potentials, and columns in another order other places") {
  const CostMatrix costs = random_costs(12, 7, 8);
  std::vector<double> scaled, buffer(7);
  for (std::int64_t i = 0; i < 12; ++i)
    for (std::int64_t j = 6; j >= 0; --j) scaled.push_back(100 * costs.row(i, buffer.data())[j]);
  const Weights mu = uniform_weights(12), nu = random_weights(7, 9), reversed(nu.rbegin(), nu.rend());
  const SinkhornResult one = sinkhorn(costs, mu, nu, {.lambda = 0.05, .tolerance = tight});
  const SinkhornResult other = sinkhorn({12, 7, scaled}, mu, reversed, {.lambda = 5, .tolerance = tight});
  CHECK(other.duality.dual == doctest::Approx(100 * one.duality.dual).epsilon(1e-7));
  for (std::size_t j = 0; j < 7; ++j)
    CHECK(other.psi[6 - j] - other.psi[6] == doctest::Approx(100 * (one.psi[j] - one.psi[0])).epsilon(1e-4));
}

TEST_CASE("the bits of a Sinkhorn run do not depend on the number of threads, nor on whether costs are held") {
  const std::int64_t n = 1000, m = 300;  // several pieces, and tiles
  const Target target(vector_of(Random(44, 0).normal({m, 3}, 0, 1)), m, 3, CostScale::one);
  CostMatrix costs = cost_matrix(target, Random(44, 1).normal({n, 3}, 0, 1));
  const int threads = engine::threads();
  for (const double most_held : {all, 0.0}) {
    const SinkhornOptions options{.lambda = 0.01, .iterations = 20, .scaling = 1, .most_held = most_held};
    engine::set_threads(1);
    const SinkhornResult one = sinkhorn(costs, uniform_weights(n), uniform_weights(m), options);
    engine::set_threads(3);
    costs.hold();
    const SinkhornResult three = sinkhorn(costs, uniform_weights(n), uniform_weights(m), options);
    engine::set_threads(threads);
    CHECK(one.psi == three.psi);
    CHECK(one.duality.dual == three.duality.dual);
    CHECK(one.duality.primal == three.duality.primal);
  }
}

TEST_CASE("between points whose matrix would not fit what ulimit -v leaves, Sinkhorn computes it anew") {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  if (pages >> 28 != 0) return;  // an address sanitizer's terabytes, which it needs to go on
  const std::int64_t n = 6000;
  std::vector<double> x, y;
  for (std::uint64_t k = 0; k < 12000; ++k) x.push_back(Random(48, 0).normal(k)), y.push_back(Random(48, 1).normal(k));
  const CostMatrix costs = cost_matrix({x, {}, n, 2}, {y, {}, n, 2}, 1, nullptr);
  const int threads = engine::threads();
  engine::set_threads(1);
  rlimit before;
  REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
  rlimit limited = before;
  limited.rlim_cur = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + (64 << 20);
  REQUIRE(::setrlimit(RLIMIT_AS, &limited) == 0);
  SinkhornOptions options{.lambda = 0.5, .iterations = 2, .scaling = 1};
  bool held = true;
  try {
    sinkhorn(costs, uniform_weights(n), uniform_weights(n), options);
  } catch (const std::bad_alloc&) {
    held = false;
  }
  options.most_held = 1e8;
  const SinkhornResult result = sinkhorn(costs, uniform_weights(n), uniform_weights(n), options);
  ::setrlimit(RLIMIT_AS, &before);
  engine::set_threads(threads);
  CHECK_FALSE(held);
  CHECK(std::isfinite(result.duality.gap()));
}

TEST_CASE("what the costs throw ends a Sinkhorn run, after which the observer has seen psi and its c-transform") {
  const std::int64_t n = 40, m = 30;
  const CostMatrix all_costs = random_costs(n, m, 12);
  struct Enough {};
  std::atomic<int> tiles = 0;
  const CostMatrix costs(n, m, [&](const CostTile& tile, double* out) {
    if (++tiles > 40) throw Enough();
    all_costs.tile(tile, out);
  });
  std::vector<double> psi, phi;
  double dual = 0;
  const auto keep = [&](const SinkhornProgress& progress) {
    psi.assign(progress.psi.begin(), progress.psi.end());
    phi.assign(progress.phi.begin(), progress.phi.end());
    dual = progress.dual;
    return true;
  };
  const Weights mu = uniform_weights(n), nu = uniform_weights(m);
  const double lambda = 0.05;
  CHECK_THROWS_AS(sinkhorn(costs, mu, nu, {.lambda = lambda, .scaling = 1, .most_held = 0}, keep), Enough);
  REQUIRE(psi.size() == nu.size());
  const Duality wanted = duality(all_costs, mu, nu, psi, lambda);
  CHECK(distance(phi, wanted.phi) <= 1e-5);
  CHECK(dual == doctest::Approx(wanted.dual).epsilon(1e-5));
}

TEST_CASE("an observer sees lambda fall to its value, and may end a Sinkhorn run") {
  const CostMatrix costs = random_costs(5, 4, 10);
  double lambda = 100;
  const SinkhornResult whole =
      sinkhorn(costs, uniform_weights(5), uniform_weights(4), {.lambda = 0.01}, [&](const SinkhornProgress& progress) {
        CHECK(progress.lambda <= lambda);
        lambda = progress.lambda;
        return true;
      });
  CHECK(lambda == 0.01);
  CHECK(whole.iterations > 3);
  const SinkhornResult part = sinkhorn(costs, uniform_weights(5), uniform_weights(4), {.lambda = 0.01},
                                       [](const SinkhornProgress& progress) { return progress.iteration < 3; });
  CHECK(part.iterations == 3);
  CHECK_FALSE(part.converged);
  CHECK(std::isfinite(part.duality.gap()));
}

TEST_CASE("the costs of a target are its scaled squared distances") {
  const Target target(std::vector<std::uint8_t>{0, 255, 51, 102}, 2, 2, CostScale::half);
  const CostMatrix costs = cost_matrix(target, Tensor({1, 2}, {1, 0}));
  double row[2];
  CHECK(costs.row(0, row)[0] == doctest::Approx(1));
  CHECK(costs.row(0, row)[1] == doctest::Approx((0.64 + 0.16) / 2).epsilon(1e-6));
  CHECK_THROWS_WITH_AS(cost_matrix(target, Tensor({1, 1}, {1})), Contains("[1, 1] against 2"), Error);
}

TEST_CASE("Sinkhorn refuses what it can't do") {
  const CostMatrix costs(2, 3, {0, 1, 2, 3, 4, 5});
  const Weights mu = uniform_weights(2), nu = uniform_weights(3);
  const auto refused = [&](const Weights& a, const Weights& b, const SinkhornOptions& options, const char* why) {
    CHECK_THROWS_WITH_AS(sinkhorn(costs, a, b, options), Contains(why), Error);
  };
  refused(nu, nu, {.lambda = 1}, "one weight for each source point: 3 weights against 2");
  refused(mu, {0.5, 0.5, NAN}, {.lambda = 1}, "target weights must be finite and not negative: nan");
  refused(mu, {0.5, 0.75, -0.25}, {.lambda = 1}, "target weights must be finite and not negative: -0.25");
  refused({0.5, 0.6}, nu, {.lambda = 1}, "source weights must sum to 1: their sum is 1.1");
  refused(mu, nu, {.lambda = 0}, "lambda must be positive and finite, and so must its inverse: 0");
  refused(mu, nu, {.lambda = 1e306}, "lambda must be at most");
  refused(mu, nu, {.lambda = 1, .iterations = 0}, "at least one iteration: 0");
  refused(mu, nu, {.lambda = 1, .tolerance = -1}, "tolerance must not be negative: -1");
  refused(mu, nu, {.lambda = 1, .scaling = 0}, "scaling must be in (0, 1]: 0");
  CHECK_THROWS_WITH_AS(symmetric_sinkhorn(costs, mu, {.lambda = 1}), Contains("must be square: 2 x 3"), Error);
  CHECK_THROWS_WITH_AS(CostMatrix(2, 2, {1, 2, 3}), Contains("2 x 2 against 3 values"), Error);
  CHECK_THROWS_WITH_AS(CostMatrix(1, 2, {1, NAN}), Contains("target point 1 is nan"), Error);
}
