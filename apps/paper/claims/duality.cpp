#include "apps/paper/claims/duality.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/paper/claims/setting.h"
#include "engine/random.h"
#include "ot/exact/exact.h"
#include "ot/sinkhorn/sinkhorn.h"

namespace apps::claims {

namespace {

using Masses = std::span<const double>;
using Plan = std::vector<double>;  // [n, m], row-major

constexpr std::int64_t n = 24, J = 20, d = 3;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// What the solvers say.
struct Solution {
  Plan plan;
  std::vector<double> phi, psi;
};

Solution solve(const ot::CostMatrix& costs, Masses mu, Masses nu, double lambda) {
  Solution result;
  result.plan.resize(mu.size() * nu.size());
  const auto row = [&](std::int64_t i) { return result.plan.begin() + i * costs.columns(); };
  if (lambda == 0) {
    const ot::ExactTransport exact = ot::exact_transport(costs, mu, nu);
    for (const ot::Flow& flow : exact.plan) row(flow.source)[flow.target] = flow.mass;
    result.phi = exact.phi, result.psi = exact.psi;
  } else {
    const ot::SinkhornResult entropic =
        ot::sinkhorn(costs, mu, nu, {.lambda = lambda, .iterations = 20000, .tolerance = in_double ? 1e-12 : 2e-7}, {},
                     [&](std::int64_t i, std::span<const double> p) { std::copy(p.begin(), p.end(), row(i)); });
    result.phi = entropic.duality.phi, result.psi = entropic.psi;
  }
  return result;
}

/// Calls visit(i, j, c_ij).
template <class Visit>
void for_each_pair(const ot::CostMatrix& costs, const Visit& visit) {
  std::vector<double> buffer(static_cast<std::size_t>(costs.columns()));
  for (std::size_t i = 0; i < static_cast<std::size_t>(costs.rows()); ++i) {
    const double* row = costs.row(static_cast<std::int64_t>(i), buffer.data());
    for (std::size_t j = 0; j < buffer.size(); ++j) visit(i, j, row[j]);
  }
}

/// (8)
double primal_value(const ot::CostMatrix& costs, Masses mu, Masses nu, const Plan& plan, double lambda) {
  double value = 0;
  for_each_pair(costs, [&](std::size_t i, std::size_t j, double c) {
    const double p = plan[i * nu.size() + j];
    if (p > 0) value += p * c + lambda * p * std::log(p / (mu[i] * nu[j]));
  });
  return value;
}

Plan equation_10(const ot::CostMatrix& costs, Masses mu, Masses nu, const Solution& at, double lambda) {
  Plan plan;
  for_each_pair(costs, [&](std::size_t i, std::size_t j, double c) {
    plan.push_back(std::exp((at.phi[i] + at.psi[j] - c) / lambda) * mu[i] * nu[j]);
  });
  return plan;
}

double largest_difference(const Plan& a, const Plan& b) {
  double largest = 0;
  for (std::size_t k = 0; k < a.size(); ++k) largest = worse(largest, std::abs(a[k] - b[k]));
  return largest;
}

/// By how much primal_value() is less at plans on the way from this one to others, of both kinds: to where lambda is
/// infinite, and where it is 0.
double gain_elsewhere(const ot::CostMatrix& costs, Masses mu, Masses nu, const Plan& plan, double lambda) {
  Plan independent;
  for (const double mu_i : mu)
    for (const double nu_j : nu) independent.push_back(mu_i * nu_j);
  double gain = -infinity;
  for (const Plan& other : {independent, solve(costs, mu, nu, 0).plan})
    for (const double t : {0.1, 0.5, 1.0}) {
      Plan between = plan;
      for (std::size_t k = 0; k < plan.size(); ++k) between[k] += t * (other[k] - plan[k]);
      gain = worse(gain, primal_value(costs, mu, nu, plan, lambda) - primal_value(costs, mu, nu, between, lambda));
    }
  return gain;
}

/// By how much dual_value() is more at random pairs around the solution.
double dual_gain_elsewhere(const ot::CostMatrix& costs, Masses mu, Masses nu, const Solution& at, double lambda,
                           std::uint64_t seed) {
  const auto value = [&](const Solution& pair) {
    return dual_value(costs, mu, nu, pair.phi, pair.psi, [&](double t) { return m(lambda, t); });
  };
  const engine::Random random(seed, 30);
  double gain = -infinity;
  std::uint64_t draw = 0;
  for (const double deviation : {0.001, 0.01, 0.1, 1.0}) {
    Solution pair = at;
    for (double& psi : pair.psi) psi += deviation * random.normal(draw++);
    for (double& phi : pair.phi) phi += deviation * random.normal(draw++);
    if (lambda == 0)  // into K_c
      for_each_pair(
          costs, [&](std::size_t i, std::size_t j, double c) { pair.phi[i] = std::min(pair.phi[i], c - pair.psi[j]); });
    gain = worse(gain, value(pair) - value(at));
  }
  return gain;
}

}  // namespace

double m(double lambda, double t) {
  if (lambda > 0) return lambda * std::expm1(t / lambda);
  return t > 100 * epsilon ? infinity : 0;
}

double dual_value(const ot::CostMatrix& costs, Masses mu, Masses nu, std::span<const double> phi,
                  std::span<const double> psi, const std::function<double(double)>& m_lambda) {
  double value = 0;
  for (std::size_t i = 0; i < mu.size(); ++i) value += mu[i] * phi[i];
  for (std::size_t j = 0; j < nu.size(); ++j) value += nu[j] * psi[j];
  for_each_pair(
      costs, [&](std::size_t i, std::size_t j, double c) { value -= mu[i] * nu[j] * m_lambda(phi[i] + psi[j] - c); });
  return value;
}

std::vector<Row> theorem_1(std::uint64_t seed) {
  const ot::Target target = random_nu(seed, J, d), source = random_nu(seed + 1, n, d);
  Tensor x({n, d});
  source.rows(0, n, x.data());
  ot::CostMatrix costs = ot::cost_matrix(target, x);
  costs.hold();
  const Masses mu = source.weights(), nu = target.weights();
  // Sinkhorn's iteration from the other side.
  std::vector<double> values(static_cast<std::size_t>(n * J));
  for_each_pair(costs, [&](std::size_t i, std::size_t j, double c) { values[j * n + i] = c; });
  const ot::CostMatrix transposed(J, n, std::move(values));

  double gap = 0, to_10 = 0, range = 0, primal = -infinity, dual = -infinity;
  for (const double lambda : {0.0, 0.03, 0.1, 1.0, 10.0}) {
    const Solution at = solve(costs, mu, nu, lambda);
    gap = worse(gap, std::abs(primal_value(costs, mu, nu, at.plan, lambda) -
                              dual_value(costs, mu, nu, at.phi, at.psi, [&](double t) { return m(lambda, t); })));
    dual = worse(dual, dual_gain_elsewhere(costs, mu, nu, at, lambda, seed));
    if (lambda == 0) continue;
    primal = worse(primal, gain_elsewhere(costs, mu, nu, at.plan, lambda));
    to_10 = worse(to_10, largest_difference(at.plan, equation_10(costs, mu, nu, at, lambda)));
    const std::vector<double> psi = solve(transposed, nu, mu, lambda).phi;
    double least = infinity, most = -infinity;
    for (std::size_t j = 0; j < psi.size(); ++j) {
      least = std::min(least, psi[j] - at.psi[j]);
      most = worse(most, psi[j] - at.psi[j]);
    }
    range = worse(range, most - least);
  }
  const std::vector<double> ten_x(n, 10), ten_y(J, 10);
  const double as_printed = dual_value(costs, mu, nu, ten_x, ten_y, [](double t) { return t >= 0 ? 0 : infinity; });
  const double W = primal_value(costs, mu, nu, solve(costs, mu, nu, 0).plan, 0);
  return {{"Theorem 1: strong duality", "|primal (8) - dual value (9)|", gap, 1e-6},
          {"Theorem 1: the potentials maximise (9)", "greatest gain at other potentials", dual, 1e-9},
          {"Theorem 1, lambda > 0: nothing else does", "psi - psi from another start, but a constant", range, 1e-4},
          {"Theorem 1, lambda > 0: the plan is (10)", "largest difference of masses", to_10, 1e-6},
          {"Theorem 1, lambda > 0: no other is optimal", "greatest gain at other plans", primal, 0},
          {"Theorem 1 with m_0 as printed", "(9) at phi = psi = 10, minus W", as_printed - W, 1, Row::Side::at_least,
           "m_0(t) is printed as 0 for t >= 0 and infinite elsewhere, by which (9) has no maximum: its value is 2 k at "
           "phi = psi = k, however large. With 0 for t <= 0 it is the constraint (4), phi + psi <= c, and (9) is W."}};
}

}  // namespace apps::claims
