#include "apps/paper/claims/generator_gradient.h"

#include <cmath>
#include <string>

#include "apps/paper/claims/setting.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "ot/c_transform.h"
#include "ot/plan/duality.h"

namespace apps::claims {

using engine::Var;

namespace {

using Theta = std::span<const double>;

constexpr std::int64_t n = 20, J = 12, d = 3;

/// sum_i <a_i, b_i> / n
double mean_product(std::span<const double> a, const Tensor& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b.data()[i];
  return sum / n;
}

/// E[D_theta g^T v] by the network's own derivatives, given v [n, d], v_i at z_i.
std::vector<double> pulled_back(LearningProblem& problem, const Tensor& v) {
  return problem.gradient([&](const Var& x) { return 1.0 / n * engine::sum(x * Var(v)); });
}

/// psi^{c,lambda}(x_i) in double.
std::vector<double> psi_c(const LearningProblem& problem, std::span<const double> psi, double lambda, Theta theta) {
  return ot::duality(problem.costs_to_nu(theta), problem.mu(), problem.nu.weights(), psi, lambda).phi;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// The worst over potentials from zero to where single points win everywhere.
std::vector<Row> at_any_potential(const std::string& lemma, const std::string& number, std::uint64_t seed,
                                  std::initializer_list<double> lambdas, const Formula& formula) {
  const ot::Target nu = random_nu(seed, J, d);
  LearningProblem problem(nu, seed, n, 2, {8});
  Row to_differences{.figure = -1}, to_formula = to_differences;
  std::uint64_t stream = 10;
  for (const double lambda : lambdas)
    for (const double deviation : {0.0, 0.1, 1.0, 3.0}) {
      const Tensor psi = random_potential(seed, stream++, J, deviation);
      const std::vector<double> values(psi.values().begin(), psi.values().end());
      const std::vector<double> gradient = formula(problem, values, lambda);
      const auto F = [&](Theta theta) { return mean(psi_c(problem, values, lambda, theta)); };
      const Tensor grad_psi_c = ot::c_transform(nu, problem.points(), psi, lambda, {.gradient = true}).gradient;
      const auto x_along_it = [&](Theta theta) { return mean_product(problem.points(theta), grad_psi_c); };
      to_differences =
          worse(to_differences, gradient_row(lemma + ": F(psi, .) is differentiable", "F", problem, gradient, F));
      to_formula = worse(to_formula, gradient_row(lemma + ": its gradient is " + number, "g in " + number, problem,
                                                  gradient, x_along_it));
    }
  return {to_differences, to_formula};
}

/// e^{-1 / (1 - |x - m|^2)} within the unit ball around the middle m of the cube, 0 outside: in D(U).
double bump(const double* x) {
  double squares = 0;
  for (std::int64_t k = 0; k < d; ++k) squares += (x[k] - 0.5) * (x[k] - 0.5);
  return squares < 1 ? std::exp(-1 / (1 - squares)) : 0;
}

/// -2 (x - m) / (1 - |x - m|^2)^2 times it
Tensor bump_gradient(const Tensor& x) {
  Tensor gradient({n, d});
  for (std::int64_t i = 0; i < n; ++i) {
    double point[d], squares = 0;
    for (std::int64_t k = 0; k < d; ++k) {
      point[k] = x.data()[i * d + k];
      squares += (point[k] - 0.5) * (point[k] - 0.5);
    }
    for (std::int64_t k = 0; k < d; ++k)
      gradient.data()[i * d + k] =
          static_cast<real>(bump(point) * -2 * (point[k] - 0.5) / ((1 - squares) * (1 - squares)));
  }
  return gradient;
}

}  // namespace

std::vector<Row> lemma_6(std::uint64_t seed, const Formula& formula) {
  return at_any_potential("Lemma 6", "(44)", seed, {0}, formula);
}

std::vector<Row> lemma_8(std::uint64_t seed, const Formula& formula) {
  return at_any_potential("Lemma 8", "(60)", seed, {0.03, 0.1, 1, 5}, formula);
}

std::vector<Row> equation_83(std::uint64_t seed) {
  constexpr double lambda = 0.5;
  const ot::Target nu = random_nu(seed, J, d);
  LearningProblem problem(nu, seed, n, 2, {8});
  const Tensor psi = random_potential(seed, 10, J, 0.1), x = problem.points();
  const std::vector<double> values(psi.values().begin(), psi.values().end());
  // chi and eta are both the c-transform of psi: e_ik = e^{Gamma_ik / lambda} is symmetric, and so are (83) and (84).
  const auto e = [&](Theta theta) {
    const std::vector<double> chi = psi_c(problem, values, lambda, theta);
    const ot::CostMatrix costs = problem.costs_to_itself(theta);
    std::vector<double> result, buffer(n);
    for (std::size_t i = 0; i < n; ++i) {
      const double* row = costs.row(static_cast<std::int64_t>(i), buffer.data());
      for (std::size_t k = 0; k < n; ++k) result.push_back(std::exp((chi[i] + chi[k] - row[k]) / lambda));
    }
    return result;
  };
  const std::vector<double> e_here = e(problem.theta());
  const Tensor grad_chi = ot::c_transform(nu, x, psi, lambda, {.gradient = true}).gradient;
  const auto equation_82 = [&](double sign) {
    Tensor v({n, d});
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t l = 0; l < d; ++l) {
        double sum = 0;
        for (std::int64_t k = 0; k < n; ++k)
          sum += e_here[static_cast<std::size_t>(i * n + k)] *
                 (grad_chi.data()[i * d + l] +
                  sign * 2 * nu.scale() * (double{x.data()[i * d + l]} - x.data()[k * d + l]));
        v.data()[i * d + l] = static_cast<real>(2 * sum / (n * lambda));
      }
    return pulled_back(problem, v);
  };
  const auto E = [&](Theta theta) { return mean(e(theta)); };
  Row printed = gradient_row("(83), (84) with their printed sign", "E", problem, equation_82(1), E);
  printed.bound = 0.1;
  printed.side = Row::Side::at_least;
  printed.instead =
      "(83) and (84) are printed with + grad c, but Gamma (80) is chi + eta - c. With - grad c, (82) is the gradient "
      "of "
      "E, and zero at (chi*, eta*), as (88) needs.";
  return {gradient_row("(82), (83), (84), with - grad c", "E", problem, equation_82(-1), E), printed};
}

std::vector<Row> equation_97(std::uint64_t seed) {
  const ot::Target nu = random_nu(seed, J, d);
  LearningProblem problem(nu, seed, n, 2, {8});
  const auto I = [&](Theta theta) {
    const std::vector<double> x = problem.points(theta);
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += bump(x.data() + i * d);
    return sum / n;
  };
  return {gradient_row("(97): derivative of mu_theta against phi", "I(phi, .)", problem,
                       pulled_back(problem, bump_gradient(problem.points())), I)};
}

}  // namespace apps::claims
