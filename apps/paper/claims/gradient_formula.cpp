#include "apps/paper/claims/gradient_formula.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "apps/paper/claims/setting.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/random.h"
#include "ot/exact/exact.h"
#include "ot/plan/duality.h"
#include "ot/power_cost.h"
#include "ot/semidual.h"
#include "ot/sinkhorn/self_transport.h"
#include "ot/sinkhorn/sinkhorn.h"

namespace apps::claims {

using engine::text;
using engine::Var;

namespace {

using Theta = std::span<const double>;

/// For values that err by less than differences need: by about the square of the tolerance.
constexpr ot::SinkhornOptions accurate(double lambda) {
  return {.lambda = lambda, .iterations = in_double ? 20000 : 2000, .tolerance = in_double ? 1e-10 : 2e-7};
}

/// W_lambda(mu_theta, nu) (8) with its psi*.
ot::SinkhornResult to_nu(const LearningProblem& problem, Theta theta, double lambda) {
  return ot::sinkhorn(problem.costs_to_nu(theta), problem.mu(), problem.nu.weights(), accurate(lambda));
}

/// W_lambda(mu_theta, mu_theta) (74).
ot::SinkhornResult to_itself(const LearningProblem& problem, Theta theta, double lambda) {
  return ot::symmetric_sinkhorn(problem.costs_to_itself(theta), problem.mu(), accurate(lambda));
}

/// The optimal plan of the unregularized problem, which sends each x_i to one y_j, T(x_i) of (40): nu is uniform on a
/// divisor of n points.
struct MongeMap {
  std::vector<std::size_t> T;
  double W = 0;
};

MongeMap monge_map(const LearningProblem& problem, Theta theta) {
  const ot::CostMatrix costs = problem.costs_to_nu(theta);
  const std::vector<double> mu = problem.mu();
  MongeMap map{std::vector<std::size_t>(mu.size())};
  std::vector<double> buffer(static_cast<std::size_t>(costs.columns()));
  for (const ot::Flow& flow : ot::exact_transport(costs, mu, problem.nu.weights()).plan) {
    const auto i = static_cast<std::size_t>(flow.source);
    if (flow.mass < mu[i] / 2) continue;  // what rounding leaves
    map.T[i] = static_cast<std::size_t>(flow.target);
    map.W += mu[i] * costs.row(flow.source, buffer.data())[flow.target];
  }
  return map;
}

/// A Kantorovich potential for which no x_i lies on the boundary of a Laguerre cell (39). T is optimal for those psi
/// with psi_k - psi_j <= w_jk = min over T(x_i) = y_j of c(x_i, y_k) - c(x_i, y_j), as are the lengths of the shortest
/// paths from any one y along edges of these lengths. A mean of them in which each y has a share has no bound tight
/// that not all have, which is none where T is the only optimal plan.
std::vector<double> interior_potential(const ot::CostMatrix& costs, const std::vector<std::size_t>& T,
                                       std::span<const double> shares) {
  const auto J = static_cast<std::size_t>(costs.columns());
  std::vector<std::vector<double>> w(J, std::vector<double>(J, std::numeric_limits<double>::infinity()));
  std::vector<double> buffer(J);
  for (std::size_t i = 0; i < T.size(); ++i) {
    const double* row = costs.row(static_cast<std::int64_t>(i), buffer.data());
    for (std::size_t k = 0; k < J; ++k) w[T[i]][k] = std::min(w[T[i]][k], row[k] - row[T[i]]);
  }
  for (std::size_t via = 0; via < J; ++via)
    for (std::size_t j = 0; j < J; ++j)
      for (std::size_t k = 0; k < J; ++k) w[j][k] = std::min(w[j][k], w[j][via] + w[via][k]);
  std::vector<double> psi(J, 0);
  for (std::size_t j = 0; j < J; ++j)
    for (std::size_t k = 0; k < J; ++k) psi[k] += shares[j] * w[j][k];
  return psi;
}

/// (53) for the cost k / alpha, null for |x - y|^2.
Row unregularized(const std::string& claim, std::uint64_t seed, std::int64_t d, std::shared_ptr<const ot::GroundCost> k,
                  const Formula& formula) {
  const ot::Target nu = random_nu(seed, 8, d, Weights::uniform, std::move(k));
  LearningProblem problem(nu, seed, 24, d, {8});
  const std::vector<double> theta = problem.theta();
  const std::vector<double> psi_star =
      interior_potential(problem.costs_to_nu(theta), monge_map(problem, theta).T, nu.weights());
  return gradient_row(claim + ": grad h is (53)", "W", problem, formula(problem, psi_star, 0),
                      [&](Theta at) { return monge_map(problem, at).W; });
}

}  // namespace

std::vector<double> grad_F(LearningProblem& problem, std::span<const double> psi_star, double lambda) {
  return problem.gradient([&](const Var& x) { return ot::semidual(problem.nu, x, tensor_of(psi_star), lambda); });
}

std::vector<double> grad_F_minus_grad_I(LearningProblem& problem, std::span<const double> psi_star, double lambda) {
  return problem.gradient([&](const Var& x) {
    // grad W_lambda(mu_theta, mu_theta) = 2 grad I(chi*, .), (88).
    return ot::semidual(problem.nu, x, tensor_of(psi_star), lambda) - 0.5 * ot::self_transport(problem.nu, x, lambda);
  });
}

Row gradient_row(const std::string& claim, const std::string& name, LearningProblem& problem,
                 const std::vector<double>& gradient, const std::function<double(Theta)>& function) {
  return {claim, "relative error to differences of " + name,
          relative_error(gradient, differences(function, problem.theta())), in_double ? 1e-6 : 2e-4};
}

std::vector<Row> proposition_1(std::uint64_t seed, const Formula& formula) {
  const ot::Target nu = random_nu(seed, 8, 2, Weights::uniform);
  LearningProblem problem(nu, seed, 24, 2, {8});
  const std::vector<double> theta_0 = problem.theta();
  const MongeMap map = monge_map(problem, theta_0);
  const auto h = [&](Theta theta) { return monge_map(problem, theta).W; };
  double above = 0;
  Row gradient{.figure = -1};
  for (std::uint64_t which = 0; which < 4; ++which) {
    const ot::Target shares = random_nu(seed + which, nu.size(), 1);  // of which only the weights are of interest
    const std::vector<double> psi_0 = interior_potential(problem.costs_to_nu(theta_0), map.T, shares.weights());
    const auto difference = [&](Theta theta) {
      return h(theta) - ot::duality(problem.costs_to_nu(theta), problem.mu(), nu.weights(), psi_0, 0).dual;
    };
    std::uint64_t draw = 0;
    for (const double distance : {1e-3, 1e-2, 0.1, 1.0})
      for (int trial = 0; trial < 10; ++trial) {
        std::vector<double> theta = theta_0;
        for (double& t : theta) t += distance * engine::Random(seed, 3).normal(draw++);
        above = worse(above, difference(theta_0) - difference(theta));
      }
    gradient = worse(gradient, gradient_row("Proposition 1: grad h is grad F at any psi0", "W", problem,
                                            formula(problem, psi_0, 0), h));
  }
  return {{"Proposition 1: h - H(psi0, .) is least there", "by how much it is less elsewhere", above, 1e-12}, gradient};
}

std::vector<Row> theorem_3(std::uint64_t seed, const Formula& formula) {
  return {unregularized("Theorem 3, d = 2", seed, 2, nullptr, formula),
          unregularized("Theorem 3, d = 3", seed, 3, nullptr, formula)};
}

std::vector<Row> theorem_4(std::uint64_t seed, const Formula& formula) {
  const auto distance = std::make_shared<ot::PowerCost>(1);
  return {unregularized("Theorem 4, |x - y|, d = 2", seed, 2, distance, formula),
          unregularized("Theorem 4, |x - y|, d = 3", seed, 3, distance, formula)};
}

std::vector<Row> theorem_5(std::uint64_t seed, const Formula& formula) {
  const ot::Target nu = random_nu(seed, 12, 3);
  LearningProblem problem(nu, seed, 20, 2, {8});
  std::vector<Row> rows;
  for (const double lambda : {0.03, 0.1, 1.0, 5.0}) {
    const auto h = [&](Theta theta) { return to_nu(problem, theta, lambda).duality.dual; };
    const std::vector<double> psi_star = to_nu(problem, problem.theta(), lambda).psi;
    rows.push_back(gradient_row(text("Theorem 5, lambda = ", lambda, ": grad h is (65)"), "W", problem,
                                formula(problem, psi_star, lambda), h));
  }
  return rows;
}

std::vector<Row> theorem_6(std::uint64_t seed, const Formula& formula) {
  const ot::Target nu = random_nu(seed, 12, 3);
  LearningProblem problem(nu, seed, 20, 2, {8});
  std::vector<Row> rows;
  for (const double lambda : {0.03, 0.1, 1.0, 5.0}) {
    const auto s = [&](Theta theta) {  // but for the constant W_lambda(nu, nu) / 2
      return to_nu(problem, theta, lambda).duality.dual - to_itself(problem, theta, lambda).duality.dual / 2;
    };
    const std::vector<double> psi_star = to_nu(problem, problem.theta(), lambda).psi;
    rows.push_back(gradient_row(text("Theorem 6, lambda = ", lambda, ": grad s is (77)"), "W", problem,
                                formula(problem, psi_star, lambda), s));
  }
  return rows;
}

std::vector<Row> sinkhorn_divergence(std::uint64_t seed) {
  const ot::Target nu = random_nu(seed, 12, 3);
  double least = std::numeric_limits<double>::infinity(), at_equal = 0;
  for (const double lambda : {0.1, 1.0, 10.0}) {
    const double W_nu_nu = ot::self_transport(nu, lambda, nu.size(), 0);
    for (std::uint64_t trial = 0; trial < 10; ++trial) {
      LearningProblem problem(nu, seed + trial, 12, 2, {8});
      const std::vector<double> theta = problem.theta();
      const double s =
          to_nu(problem, theta, lambda).duality.dual - (to_itself(problem, theta, lambda).duality.dual + W_nu_nu) / 2;
      least = -worse(-least, -s);
    }
    Tensor y({nu.size(), nu.dimension()});
    nu.rows(0, nu.size(), y.data());
    // The two-sided iteration, which does not know that the measures are the same.
    const double W = ot::sinkhorn(ot::cost_matrix(nu, y), nu.weights(), nu.weights(), accurate(lambda)).duality.dual;
    at_equal = worse(at_equal, std::abs(W - W_nu_nu));
  }
  return {{"(72): the Sinkhorn divergence is positive", "least S(mu_theta, nu)", least, 0, Row::Side::at_least},
          {"(72): it is zero for equal measures", "|S(nu, nu)|", at_equal, 1e-7}};
}

}  // namespace apps::claims
