#include "ot/sinkhorn/dual_pair.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/ot/oracle.h"
#include "tests/ot/weights.h"

using namespace ot;
using namespace ot::testing;

namespace {

constexpr double all = 1e9;

struct Problem {
  static constexpr std::int64_t n = 30, m = 20;
  CostMatrix costs{n, m, values()};
  Weights mu = random_weights(n, 5), nu = random_weights(m, 6);

  static std::vector<double> values() {
    std::vector<double> costs;
    for (std::uint64_t k = 0; k < 600; ++k) costs.push_back(Random(41, 5).uniform(k));
    return costs;
  }
  double cost(std::size_t i, std::size_t j) const {
    double cost;
    costs.tile({static_cast<std::int64_t>(i), 1, static_cast<std::int64_t>(j), 1}, &cost);
    return cost;
  }
  /// (9), from its definition.
  double dual(const std::vector<double>& phi, const std::vector<double>& psi, double lambda) const {
    double value = lambda;
    for (std::size_t i = 0; i < mu.size(); ++i) value += mu[i] * phi[i];
    for (std::size_t j = 0; j < nu.size(); ++j) value += nu[j] * psi[j];
    for (std::size_t i = 0; i < mu.size(); ++i)
      for (std::size_t j = 0; j < nu.size(); ++j)
        value -= lambda * mu[i] * nu[j] * std::exp((phi[i] + psi[j] - cost(i, j)) / lambda);
    return value;
  }
};

}  // namespace

TEST_CASE("no step of a dual pair lowers the dual, however far beyond the c-transform it goes") {
  const Problem p;
  for (const double most_held : {0.0, all})
    for (const double factor : {1.0, 1.5, 1.98}) {
      CAPTURE(most_held);
      CAPTURE(factor);
      DualPair pair(p.costs, p.mu, p.nu, most_held);
      double last = -1e9;
      int lowered = 0;
      for (int k = 0; k < 300; ++k) {
        const double lambda = 0.01;
        pair.move_phi(lambda, factor, true);
        for (const bool psi : {false, true}) {
          if (psi) pair.move_psi(lambda, factor);
          const double dual = p.dual(pair.phi(), pair.psi(), lambda);
          lowered += dual < last - 1e-7;
          last = dual;
        }
      }
      CHECK(lowered == 0);
      CHECK(last > 0);
    }
}

TEST_CASE("softmin, dual and marginal error of a dual pair follow their formulas, whatever the factor") {
  const Problem p;
  const double lambda = 0.2;
  for (const double most_held : {0.0, all})
    for (const double factor : {1.0, 1.7}) {
      DualPair pair(p.costs, p.mu, p.nu, most_held);
      pair.move_phi(lambda, factor, true);
      pair.move_psi(lambda, factor);
      const std::vector<double> psi = pair.psi(), before = pair.phi();
      pair.move_phi(lambda, factor, true);
      double dual = 0, error = 0;
      std::vector<double> q(p.nu.size(), 0);
      for (std::size_t i = 0; i < p.mu.size(); ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < psi.size(); ++j) sum += p.nu[j] * std::exp((psi[j] - p.cost(i, j)) / lambda);
        const double softmin = -lambda * std::log(sum);
        CHECK(pair.softmin()[i] == doctest::Approx(softmin).epsilon(1e-6));
        CHECK(pair.phi()[i] == doctest::Approx(before[i] + factor * (softmin - before[i])).epsilon(1e-6));
        dual += p.mu[i] * softmin;
        for (std::size_t j = 0; j < psi.size(); ++j)
          q[j] += p.mu[i] * p.nu[j] * std::exp((psi[j] - p.cost(i, j)) / lambda) / sum;
      }
      for (std::size_t j = 0; j < psi.size(); ++j) dual += p.nu[j] * psi[j], error += std::abs(q[j] - p.nu[j]);
      CHECK(pair.dual() == doctest::Approx(dual).epsilon(1e-6));
      CHECK(pair.marginal_error() == doctest::Approx(error).epsilon(1e-3));
    }
}

TEST_CASE("a dual pair starts at the least costs and 0, and refuses costs that are not finite or too far apart") {
  const CostMatrix costs(2, 3, {5, 2, 9, 4, 4, 4});
  DualPair pair(costs, uniform_weights(2), uniform_weights(3), 0);
  CHECK(pair.phi() == std::vector<double>{2, 4});
  CHECK(pair.psi() == std::vector<double>{0, 0, 0});
  CHECK(pair.range() == 7);
  for (const double bad : {static_cast<double>(NAN), HUGE_VAL, 1e306}) {
    const CostMatrix undefined(2, 40, [&](const CostTile& tile, double* out) {
      for (std::int64_t i = tile.first_row; i < tile.first_row + tile.rows; ++i)
        for (std::int64_t j = tile.first_column; j < tile.first_column + tile.columns; ++j)
          *out++ = i == 1 && j == 17 ? bad : 1;
    });
    CHECK_THROWS_WITH_AS(DualPair(undefined, uniform_weights(2), uniform_weights(40), 0),
                         doctest::Contains("costs must be finite, and not too far apart"), engine::Error);
  }
}
