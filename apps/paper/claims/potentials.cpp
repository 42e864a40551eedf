#include "apps/paper/claims/potentials.h"

#include <algorithm>
#include <cmath>

#include "apps/paper/claims/duality.h"
#include "apps/paper/claims/learning_problem.h"
#include "apps/paper/claims/setting.h"
#include "engine/error.h"
#include "ot/c_transform.h"
#include "ot/exact/exact.h"
#include "ot/plan/duality.h"
#include "ot/sinkhorn/sinkhorn.h"

namespace apps::claims {

using engine::text;

namespace {

using Masses = std::span<const double>;

constexpr std::int64_t n = 20, J = 12, d = 3;

struct Solution {
  double primal;  ///< W_lambda, to the accuracy of the plan's marginals
  std::vector<double> phi, psi;
};

Solution solve(const ot::CostMatrix& costs, Masses mu, Masses nu, double lambda) {
  if (lambda == 0) {
    const ot::ExactTransport exact = ot::exact_transport(costs, mu, nu);
    return {exact.value, exact.phi, exact.psi};
  }
  const ot::SinkhornResult entropic =
      ot::sinkhorn(costs, mu, nu, {.lambda = lambda, .iterations = 20000, .tolerance = in_double ? 1e-11 : 2e-7});
  return {entropic.duality.primal, entropic.duality.phi, entropic.psi};
}

/// Weights, and the points they are on.
struct Measure {
  Tensor x;
  std::vector<double> weights;
};

Measure random_measure(std::uint64_t seed) {
  const ot::Target target = random_nu(seed, n, d);
  Measure measure{Tensor({n, d}), {target.weights().begin(), target.weights().end()}};
  target.rows(0, n, measure.x.data());
  return measure;
}

/// Points and weights go the part t of the way to those of another.
Measure towards(const Measure& from, const Measure& to, double t) {
  Measure measure{from.x.clone(), from.weights};
  for (std::int64_t k = 0; k < n * d; ++k)
    measure.x.data()[k] += static_cast<real>(t * (double{to.x.data()[k]} - from.x.data()[k]));
  for (std::size_t i = 0; i < n; ++i) measure.weights[i] += t * (to.weights[i] - from.weights[i]);
  return measure;
}

/// W_lambda, which for lambda > 0 errs by the square of what potentials do.
double W(const ot::CostMatrix& costs, Masses mu, Masses nu, double lambda) {
  const Solution at = solve(costs, mu, nu, lambda);
  if (lambda == 0) return at.primal;
  return dual_value(costs, mu, nu, at.phi, at.psi, [lambda](double t) { return m(lambda, t); });
}

/// weights + t (e_i - weights)
std::vector<double> with_more_at(Masses weights, std::size_t i, double t) {
  std::vector<double> result(weights.begin(), weights.end());
  for (double& weight : result) weight -= t * weight;
  result[i] += t;
  return result;
}

/// How well potentials, but for their mean, agree with differences of W in the weights.
double derivative_error(Masses weights, double lambda, const std::vector<double>& potential,
                        const std::function<double(Masses)>& W_at) {
  // For lambda = 0 W is linear in pieces, of which the weights may be near an end.
  const double step = lambda == 0 ? 1e-7 : 1e-5;
  double mean = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) mean += weights[i] * potential[i];
  std::vector<double> derivative, difference;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    derivative.push_back(potential[i] - mean);
    difference.push_back((W_at(with_more_at(weights, i, step)) - W_at(with_more_at(weights, i, -step))) / (2 * step));
  }
  return relative_error(derivative, difference);
}

}  // namespace

std::vector<Row> lemma_3(std::uint64_t seed) {
  const ot::Target nu = random_nu(seed, J, d);
  const Measure mu = random_measure(seed + 1), other = random_measure(seed + 2);
  const Tensor grid = random_points(seed, 5, 200, d);  // whose first point is x_0
  std::vector<Row> rows;
  double equation_21 = 0, as_printed = 0;
  for (const double lambda : {0.0, 0.1, 1.0}) {
    const auto solution = [&](const Measure& at) {
      return solve(ot::cost_matrix(nu, at.x), at.weights, nu.weights(), lambda);
    };
    const auto phi = [&](const Measure& at) {
      Tensor values = ot::c_transform(nu, grid, tensor_of(solution(at).psi), lambda).value;
      const real at_x_0 = values.data()[0];
      for (real& value : values.values()) value -= at_x_0;
      return values;
    };
    const Tensor limit = phi(mu);
    const auto distance = [&](double t) {
      const Tensor phi_n = phi(towards(mu, other, t));
      double largest = 0;
      for (std::int64_t i = 0; i < limit.size(); ++i)
        largest = worse(largest, std::abs(double{phi_n.data()[i]} - limit.data()[i]));
      return largest;
    };
    // So near that for lambda = 0 hardly any seed has another optimal basis on the way.
    rows.push_back({text("Lemma 3, lambda = ", lambda, ": phi_n goes to phi"),
                    "|phi_n - phi|_inf, at 1e-6 over that at 0.1", distance(1e-6) / distance(0.1), 0.01});

    const Measure mu_n = towards(mu, other, 0.1);
    const Solution at_n = solution(mu_n);
    const auto integrals = [&](const Measure& measure) {  // of phi_n, and of psi_n = phi_n^c
      return ot::duality(ot::cost_matrix(nu, measure.x), measure.weights, nu.weights(), at_n.psi, lambda).dual;
    };
    equation_21 = worse(equation_21, std::abs(at_n.primal - integrals(mu_n)));
    as_printed = worse(as_printed, std::abs(at_n.primal - integrals(mu)));
  }
  rows.push_back({"(21), with d mu_n", "greatest |W(mu_n, nu) - integrals|", equation_21, 1e-6});
  rows.push_back(
      {"(21) as printed, with d mu", "greatest |W(mu_n, nu) - integrals|", as_printed, 1e-4, Row::Side::at_least,
       "Lemma 3 calls phi_n a potential for W(mu, nu), and (21) integrates it by mu: both mean mu_n, without "
       "which phi_n = phi, and (21) is no equality. The limit is the same."});
  return rows;
}

std::vector<Row> weight_derivatives(std::uint64_t seed) {
  const ot::Target nu = random_nu(seed, J, d);
  const Measure mu = random_measure(seed + 1);
  ot::CostMatrix costs = ot::cost_matrix(nu, mu.x);
  costs.hold();
  double in_mu = 0, in_nu = 0;
  for (const double lambda : {0.0, 0.03, 0.1, 1.0}) {
    const Solution at = solve(costs, mu.weights, nu.weights(), lambda);
    in_mu = worse(in_mu, derivative_error(mu.weights, lambda, at.phi,
                                          [&](Masses p) { return W(costs, p, nu.weights(), lambda); }));
    in_nu = worse(in_nu, derivative_error(nu.weights(), lambda, at.psi,
                                          [&](Masses q) { return W(costs, mu.weights, q, lambda); }));
  }
  return {{"Section 2.4: dW/dmu is phi, up to a constant", "relative error to differences of W", in_mu, 1e-4},
          {"Section 2.4: dW/dnu is psi, up to a constant", "relative error to differences of W", in_nu, 1e-4}};
}

}  // namespace apps::claims
