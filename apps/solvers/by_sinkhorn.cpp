#include "apps/solvers/by_sinkhorn.h"

#include <utility>

#include "engine/error.h"
#include "engine/real.h"
#include "ot/sinkhorn/sinkhorn.h"

namespace apps {

using engine::real;

namespace {

/// What an iteration has come to, of which nothing more may come.
void note(const TransportProblem& problem, const ot::SinkhornProgress& progress, TransportSolution& solution) {
  solution.psi.assign(progress.psi.begin(), progress.psi.end());
  solution.phi.assign(progress.phi.begin(), progress.phi.end());
  solution.dual = expectation(problem.mu, solution.phi) + expectation(problem.target.weights(), solution.psi);
  solution.marginal_error = progress.marginal_error;
  solution.iterations = progress.iteration;
}

}  // namespace

TransportSolution solve_by_sinkhorn(const TransportProblem& problem, const SolveOptions& options,
                                    const SolverObserver& observer, const Patience& patience) {
  const ot::SinkhornOptions sinkhorn{.lambda = options.lambda,
                                     .iterations = options.iterations,
                                     .tolerance = options.tolerance,
                                     .scaling = options.lambda_schedule,
                                     .most_held = 1e6 * static_cast<double>(options.cost_memory)};
  TransportSolution solution;
  bool stopped = false;
  const auto watch = [&](const ot::SinkhornProgress& progress) {
    note(problem, progress, solution);
    stopped = !observer({.iterations = progress.iteration, .dual = progress.dual});
    return !stopped;
  };
  // Within an iteration there is nothing to finish: the one before is kept.
  const auto costs = [&](const ot::PrecisePoints& x, const ot::PrecisePoints& y) {
    return costs_while([&] { return stopped ? patience.finish() : patience.solve(); }, x, y, problem.target);
  };
  try {
    ot::SinkhornResult result = ot::sinkhorn(costs(problem.from, problem.to), problem.mu, problem.target.weights(),
                                             sinkhorn, watch, keep_rows(problem, solution));
    solution.psi = std::move(result.psi);
    solution.iterations = result.iterations;
    solution.converged = result.converged;
    if (result.stalled)
      solution.remarks.push_back(
          engine::text("the marginal error no longer falls below ", result.marginal_error,
                       ", which is what rounding allows here: --tolerance ", options.tolerance,
                       sizeof(real) == sizeof(float) ? " takes a build with PRECISION=double" : " is too small"));
    take(solution, std::move(result.duality));
  } catch (const Ended&) {
    if (solution.psi.empty()) throw;
    solution.plan_rows.clear();
    return solution;
  }
  if (options.divergence == "off" || stopped) return solution;
  const auto value_among = [&](const ot::PrecisePoints& points, std::span<const double> weights) {
    const auto go_on = [&](const ot::SinkhornProgress&) { return !(stopped = stopped || !patience.solve()); };
    return ot::symmetric_sinkhorn(costs(points, points), weights, sinkhorn, go_on).duality.dual;
  };
  try {
    const double from = value_among(problem.from, problem.mu);
    const double to = value_among(problem.to, problem.target.weights());
    if (!stopped) solution.divergence = solution.dual - (from + to) / 2;
  } catch (const Ended&) {
  }
  return solution;
}

}  // namespace apps
