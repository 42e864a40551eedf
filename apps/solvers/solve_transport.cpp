#include "apps/solvers/solve_transport.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "apps/resources.h"
#include "apps/solvers/by_ascent.h"
#include "apps/solvers/by_sinkhorn.h"
#include "apps/solvers/exactly.h"
#include "apps/solvers/patience.h"
#include "engine/error.h"
#include "engine/real.h"
#include "ot/exact/exact.h"

namespace apps {

using engine::real;
using engine::require;

namespace {

/// Of the mean of phi over independent draws of mu, as many as there are points (fewer, if weights differ); none where
/// one point has all the mass.
std::optional<double> standard_error(std::span<const double> mu, std::span<const double> phi) {
  const double mean = expectation(mu, phi);
  double variance = 0, concentration = 0;
  for (std::size_t i = 0; i < mu.size(); ++i) {
    variance += mu[i] * (phi[i] - mean) * (phi[i] - mean);
    concentration += mu[i] * mu[i];
  }
  if (concentration > 1 - 1e-9) return {};
  return std::sqrt(variance * concentration);
}

/// The solution in units of the costs as they were given.
void scale(TransportSolution& solution, double unit) {
  for (std::vector<double>* values : {&solution.psi, &solution.phi})
    for (double& value : *values) value *= unit;
  solution.dual *= unit;
  for (std::optional<double>* value : {&solution.transport_cost, &solution.primal, &solution.divergence})
    if (*value) **value *= unit;
}

/// What Sinkhorn takes between so many points: reduced costs, if they are held, the points in groups, and what the
/// threads sum up in.
double sinkhorn_bytes(double n, double m, std::int64_t dimension, const SolveOptions& options) {
  const double held = sizeof(real) * n * m;
  return (held <= 1e6 * static_cast<double>(options.cost_memory) ? held : 0) +
         sizeof(double) * m * static_cast<double>(dimension + 64 + 17 * options.threads);
}

}  // namespace

void require_solvable(const TransportProblem& problem, const SolveOptions& options) {
  const std::string points =
      engine::text(problem.sources(), " x ", problem.target.size(), " points with --solver ", options.solver);
  if (options.solver == "exact" && !problem.on_line())
    require(problem.entries() <= static_cast<double>(ot::most_exact_entries), points,
            " are too many: the product may be ", ot::most_exact_entries,
            " at most; take --source-points and --target-points, or --solver adam");
  double bytes = 0;
  std::string remedy = "take --source-points and --target-points, or --solver adam";
  if (options.solver == "sinkhorn") {
    const auto n = static_cast<double>(problem.sources()), m = static_cast<double>(problem.target.size());
    const auto between = [&](double a, double b) { return sinkhorn_bytes(a, b, problem.target.dimension(), options); };
    bytes = options.divergence == "on" ? std::max({between(n, m), between(n, n), between(m, m)}) : between(n, m);
    remedy = engine::text("take a --cost-memory below ", options.cost_memory,
                          ", --source-points and --target-points, or --solver adam");
  } else if ((options.solver == "exact" && !problem.on_line()) ||
             (options.stochastic() && problem.entries() <= most_primal_entries)) {
    bytes = sizeof(double) * problem.entries();
  }
  require_memory(bytes, points, remedy);
}

TransportSolution solve_transport(const TransportProblem& problem, const SolveOptions& given,
                                  const SolverObserver& observer) {
  SolveOptions options = given;
  options.lambda /= problem.unit;
  options.rate /= problem.unit;
  if (options.stochastic()) options.lambda_schedule /= problem.unit;
  const SolverObserver told = [&](SolverProgress progress) {
    progress.dual *= problem.unit;
    for (double& value : progress.psi) value *= problem.unit;
    return observer(progress);
  };
  const Patience patience(told);
  TransportSolution solution;
  try {
    solution = options.solver == "exact"      ? solve_exactly(problem, patience)
               : options.solver == "sinkhorn" ? solve_by_sinkhorn(problem, options, told, patience)
                                              : solve_by_ascent(problem, options, told, patience);
  } catch (const Ended&) {
    return {};
  }
  scale(solution, problem.unit);
  if (!solution.phi.empty()) solution.standard_error = standard_error(problem.mu, solution.phi);
  return solution;
}

}  // namespace apps
