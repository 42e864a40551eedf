#include "apps/solvers.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "apps/resources.h"
#include "engine/error.h"
#include "ot/c_transform.h"
#include "ot/cost_matrix.h"
#include "ot/duality.h"
#include "ot/exact_completion.h"
#include "ot/semidual_ascent.h"
#include "ot/sinkhorn.h"

namespace apps {

using engine::real;
using engine::require;
using engine::Tensor;
using ot::CostMatrix;

namespace {

/// Up to so many entries of the cost matrix, the plan of a potential is gone through for the primal value.
constexpr double most_primal_entries = 4e7;
/// Up to so many, by exact transport of what its marginals lack.
constexpr double most_completed_entries = 1e7;
constexpr std::int64_t points_at_once = 200;

bool on_line(const TransportProblem& problem) {
  return problem.target.dimension() == 1;
}

double expectation(std::span<const double> weights, std::span<const double> values) {
  double sum = 0;
  for (std::size_t k = 0; k < weights.size(); ++k)
    if (weights[k] > 0) sum += weights[k] * values[k];
  return sum;
}

/// Of the mean of phi over independent draws of mu, as many as there are points (fewer, if weights differ).
double standard_error(std::span<const double> mu, std::span<const double> phi) {
  const double mean = expectation(mu, phi);
  double variance = 0, concentration = 0;
  for (std::size_t i = 0; i < mu.size(); ++i) {
    variance += mu[i] * (phi[i] - mean) * (phi[i] - mean);
    concentration += mu[i] * mu[i];
  }
  return std::sqrt(variance * concentration);
}

void take(TransportSolution& solution, ot::Duality duality) {
  solution.phi = std::move(duality.phi);
  solution.dual = duality.dual;
  solution.chi_squared = duality.chi_squared;
  solution.chi_squared_error = 0;
  solution.transport_cost = duality.transport_cost;
  solution.primal = duality.primal;
  solution.marginal_error = duality.marginal_error;
}

/// The target's points as a batch.
Tensor points_of(const ot::Target& target) {
  Tensor y({target.size(), target.dimension()});
  target.rows(0, target.size(), y.data());
  return y;
}

/// The target's cost of each of the points x to each.
CostMatrix costs_among(const Tensor& x, const ot::Target& target) {
  const ot::Target points(std::vector<real>(x.values().begin(), x.values().end()), x.dim(0), x.dim(1),
                          {ot::CostScale::one, target.ground_cost()});
  const CostMatrix unscaled = ot::cost_matrix(points, x);
  CostMatrix costs(x.dim(0), x.dim(0), [&](std::int64_t i, double* row) {
    unscaled.row(i, row);
    for (std::int64_t j = 0; j < points.size(); ++j) row[j] *= target.scale();
  });
  costs.hold();
  return costs;
}

TransportSolution solve_exactly(const TransportProblem& problem, const SolverObserver& observer) {
  const ot::Target& target = problem.target;
  ot::ExactTransport exact;
  if (on_line(problem)) {
    const Tensor y = points_of(target);
    const std::vector<double> from(problem.x.values().begin(), problem.x.values().end());
    const std::vector<double> to(y.values().begin(), y.values().end());
    exact = ot::exact_transport_on_line(from, to, problem.mu, target.weights(), [&](double a, double b) {
      const auto x = static_cast<real>(a), y_j = static_cast<real>(b);
      return target.cost(ot::Point(&x, 1), ot::Point(&y_j, 1));
    });
  } else {
    exact = ot::exact_transport(ot::cost_matrix(target, problem.x), problem.mu, target.weights(),
                                [&] { return observer(0, 0); });
  }
  TransportSolution solution;
  if (exact.plan.empty()) return solution;
  std::vector<double> largest(problem.mu.size(), 0);
  solution.assignment.assign(problem.mu.size(), 0);
  for (const ot::Flow& flow : exact.plan) {
    const auto i = static_cast<std::size_t>(flow.source);
    if (flow.mass > largest[i]) largest[i] = flow.mass, solution.assignment[i] = flow.target;
  }
  solution.dual = expectation(problem.mu, exact.phi) + expectation(target.weights(), exact.psi);
  solution.transport_cost = solution.primal = exact.value;
  solution.marginal_error = 0;
  solution.psi = std::move(exact.psi);
  solution.phi = std::move(exact.phi);
  solution.plan = std::move(exact.plan);
  solution.iterations = exact.rounds;
  solution.converged = true;
  return solution;
}

TransportSolution solve_by_sinkhorn(const TransportProblem& problem, const SolveOptions& options,
                                    const SolverObserver& observer) {
  const ot::SinkhornOptions sinkhorn{.lambda = options.lambda,
                                     .iterations = options.iterations,
                                     .tolerance = options.tolerance,
                                     .scaling = options.lambda_schedule};
  bool stopped = false;
  const auto watch = [&](const ot::SinkhornProgress& progress) {
    stopped = !observer(progress.iteration, progress.dual);
    return !stopped;
  };
  CostMatrix costs = ot::cost_matrix(problem.target, problem.x);
  costs.hold();
  ot::SinkhornResult result = ot::sinkhorn(costs, problem.mu, problem.target.weights(), sinkhorn, watch);
  TransportSolution solution;
  solution.psi = std::move(result.psi);
  solution.iterations = result.iterations;
  solution.converged = result.converged;
  take(solution, std::move(result.duality));
  if (options.divergence == "off" || stopped) return solution;
  const auto value_among = [&](const Tensor& points, std::span<const double> weights) {
    const auto go_on = [&](const ot::SinkhornProgress&) { return !(stopped = stopped || !observer(0, 0)); };
    return ot::symmetric_sinkhorn(costs_among(points, problem.target), weights, sinkhorn, go_on).duality.dual;
  };
  const double from = value_among(problem.x, problem.mu);
  const double to = value_among(points_of(problem.target), problem.target.weights());
  if (!stopped) solution.divergence = solution.dual - (from + to) / 2;
  return solution;
}

/// psi with its c-transform phi, the dual and, at lambda = 0, the assignment.
void transform(const TransportProblem& problem, const Tensor& psi, double lambda, TransportSolution& solution) {
  const std::int64_t n = problem.sources(), d = problem.target.dimension();
  solution.psi.assign(psi.values().begin(), psi.values().end());
  for (std::int64_t begin = 0; begin < n; begin += points_at_once) {
    const std::int64_t size = std::min(points_at_once, n - begin);
    const Tensor part({size, d}, std::span(problem.x.data() + begin * d, static_cast<std::size_t>(size * d)));
    const ot::CTransform found = ot::c_transform(problem.target, part, psi, lambda);
    solution.phi.insert(solution.phi.end(), found.value.values().begin(), found.value.values().end());
    solution.assignment.insert(solution.assignment.end(), found.winners.begin(), found.winners.end());
  }
  solution.dual = expectation(problem.mu, solution.phi) + expectation(problem.target.weights(), solution.psi);
}

TransportSolution solve_by_ascent(const TransportProblem& problem, const SolveOptions& options,
                                  const SolverObserver& observer) {
  const ot::Target& target = problem.target;
  const ot::AscentOptions ascent{
      .optimizer = options.solver == "adam" ? ot::DualOptimizer::adam : ot::DualOptimizer::asgd,
      .lambda = options.lambda,
      .first_lambda = options.lambda_schedule,
      .steps = options.iterations,
      .batch = options.batch > 0 ? options.batch : problem.sources(),
      .rate = options.rate,
      .tolerance = options.tolerance};
  ot::VectorPotential potential(target);
  const ot::SourceSampler source(problem.x, problem.mu, options.seed);
  const ot::AscentResult result = ot::ascend_semidual(
      target, source, potential, ascent,
      [&](const ot::AscentProgress& progress) { return observer(progress.step, progress.estimate.dual); });
  TransportSolution solution;
  solution.iterations = result.steps;
  solution.converged = result.converged;
  solution.chi_squared = result.estimate.chi_squared;
  solution.chi_squared_error = result.estimate.chi_squared_error;
  transform(problem, potential.values(), options.lambda, solution);
  if (problem.entries() > most_primal_entries || !std::isfinite(solution.dual)) return solution;
  CostMatrix costs = ot::cost_matrix(target, problem.x);
  costs.hold();
  const ot::Completion completion =
      problem.entries() <= most_completed_entries ? ot::exact_completion(costs) : ot::Completion();
  take(solution, ot::duality(costs, problem.mu, target.weights(), solution.psi, options.lambda, completion));
  return solution;
}

}  // namespace

void require_solvable(const TransportProblem& problem, const SolveOptions& options) {
  const std::string points =
      engine::text(problem.sources(), " x ", problem.target.size(), " points with --solver ", options.solver);
  if (options.solver == "exact" && !on_line(problem))
    require(problem.entries() <= static_cast<double>(ot::most_exact_entries), points,
            " are too many: the product may be ", ot::most_exact_entries,
            " at most; take --source-points and --target-points, or --solver adam");
  double bytes = 0;  // of matrices in double, and of what Sinkhorn works on
  if (options.solver == "sinkhorn" || (options.solver == "exact" && !on_line(problem)))
    bytes = (sizeof(double) + sizeof(real)) * problem.entries();
  else if (options.stochastic() && problem.entries() <= most_primal_entries)
    bytes = sizeof(double) * problem.entries();
  if (options.divergence == "on") {
    const double largest = static_cast<double>(std::max(problem.sources(), problem.target.size()));
    bytes = sizeof(double) * problem.entries() + (sizeof(double) + sizeof(real)) * largest * largest;
  }
  require_memory(bytes, points, "take --source-points and --target-points, or --solver adam");
}

TransportSolution solve_transport(const TransportProblem& problem, const SolveOptions& options,
                                  const SolverObserver& observer) {
  TransportSolution solution = options.solver == "exact"      ? solve_exactly(problem, observer)
                               : options.solver == "sinkhorn" ? solve_by_sinkhorn(problem, options, observer)
                                                              : solve_by_ascent(problem, options, observer);
  if (!solution.phi.empty()) solution.standard_error = standard_error(problem.mu, solution.phi);
  return solution;
}

}  // namespace apps
