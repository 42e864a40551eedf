#include "ot/plan/duality.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "ot/exact/exact.h"
#include "ot/exact/exact_completion.h"
#include "ot/sinkhorn/sinkhorn.h"
#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;

namespace {
using Weights = std::vector<double>;

/// Costs, weights and a potential that is far from the best.
struct Problem {
  Weights mu{0.1, 0.3, 0.05, 0.25, 0.3}, nu{0.2, 0.2, 0, 0.6}, psi{0.3, -0.2, 7, 0.1};
  CostMatrix costs{5, 4, costs_of()};

  static std::vector<double> costs_of() {
    std::vector<double> values;
    for (std::uint64_t k = 0; k < 20; ++k) values.push_back(Random(70, 0).uniform(k));
    return values;
  }
};
}  // namespace

TEST_CASE("dual, marginal error and chi^2 of a potential follow their formulas") {
  const Problem p;
  for (const double lambda : {0.0, 0.2}) {
    CAPTURE(lambda);
    const Duality found = duality(p.costs, p.mu, p.nu, p.psi, lambda);
    Weights q(4, 0), row(4), buffer(4);
    double dual = 0.2 * 0.3 - 0.2 * 0.2 + 0.6 * 0.1;
    for (std::size_t i = 0; i < 5; ++i) {
      const double* c = p.costs.row(static_cast<std::int64_t>(i), buffer.data());
      const double least = std::min({c[0] - p.psi[0], c[1] - p.psi[1], c[3] - p.psi[3]});
      double total = 0;
      for (std::size_t j = 0; j < 4; ++j) {
        row[j] = lambda > 0 ? p.nu[j] * std::exp((p.psi[j] - c[j]) / lambda) : p.nu[j] > 0 && c[j] - p.psi[j] == least;
        total += row[j];
      }
      const double phi = lambda > 0 ? -lambda * std::log(total) : least;
      CHECK(found.phi[i] == doctest::Approx(phi));
      dual += p.mu[i] * phi;
      for (std::size_t j = 0; j < 4; ++j) q[j] += p.mu[i] * row[j] / total;
      plan_row(c, p.mu[i], p.nu, p.psi, lambda, buffer);
      for (std::size_t j = 0; j < 4; ++j) CHECK(buffer[j] == doctest::Approx(p.mu[i] * row[j] / total));
    }
    double error = 0, chi_squared = 0;
    for (const std::size_t j : {0, 1, 3}) {
      error += std::abs(q[j] - p.nu[j]);
      chi_squared += (q[j] - p.nu[j]) * (q[j] - p.nu[j]) / p.nu[j];
    }
    CHECK(found.dual == doctest::Approx(dual));
    CHECK(found.marginal_error == doctest::Approx(error));
    CHECK(found.chi_squared == doctest::Approx(chi_squared));
  }
}

TEST_CASE("the optimum lies between dual and primal, and an exact completion brings the primal nearer") {
  const Problem p;
  const double exact = exact_transport(p.costs, p.mu, p.nu).value;
  for (const double lambda : {0.0, 0.001, 0.02, 0.2}) {
    CAPTURE(lambda);
    const double best = lambda > 0 ? sinkhorn(p.costs, p.mu, p.nu, {.lambda = lambda}).duality.dual : exact;
    const Duality plain = duality(p.costs, p.mu, p.nu, p.psi, lambda);
    const Duality completed = duality(p.costs, p.mu, p.nu, p.psi, lambda, exact_completion(p.costs));
    CHECK(plain.dual <= best);
    CHECK(completed.dual == plain.dual);
    CHECK(plain.primal >= best - 1e-9);
    CHECK(completed.primal >= best - 1e-9);
    CHECK(completed.transport_cost >= exact - 1e-9);
    if (lambda < 0.1) CHECK(completed.primal <= plain.primal);
  }
}

TEST_CASE("at the optimum there is nothing to complete, and no gap") {
  const CostMatrix square(3, 3, {0, 2, 2, 2, 0, 2, 2, 2, 0});
  const Weights third(3, 1.0 / 3);
  for (const Completion& completion : {Completion(), exact_completion(square)}) {
    const Duality best = duality(square, third, third, Weights(3, 0), 0, completion);
    CHECK(best.gap() == 0);
    CHECK(best.primal == 0);
    CHECK(best.chi_squared == 0);
  }
  // All go to the first, which keeps a third of each; the others' rest goes home, the first's 2/9 pay 2.
  const Duality far = duality(square, third, third, Weights{5, 0, 0}, 0, exact_completion(square));
  CHECK(far.primal == doctest::Approx(8.0 / 9));
  CHECK(far.marginal_error == doctest::Approx(4.0 / 3));
}
