#include "apps/solvers/by_sinkhorn.h"

#include <utility>

#include "engine/error.h"
#include "engine/real.h"
#include "ot/sinkhorn/sinkhorn.h"

namespace apps {

using engine::real;
using ot::CostMatrix;

TransportSolution solve_by_sinkhorn(const TransportProblem& problem, const SolveOptions& options,
                                    const SolverObserver& observer, const Patience& patience) {
  const ot::SinkhornOptions sinkhorn{.lambda = options.lambda,
                                     .iterations = options.iterations,
                                     .tolerance = options.tolerance,
                                     .scaling = options.lambda_schedule};
  bool stopped = false;
  const auto watch = [&](const ot::SinkhornProgress& progress) {
    stopped = !observer({.iterations = progress.iteration, .dual = progress.dual});
    return !stopped;
  };
  const auto held = [&](const ot::PrecisePoints& x, const ot::PrecisePoints& y) {
    CostMatrix costs = costs_while([&] { return patience.solve(); }, x, y, problem.target);
    costs.hold();
    return costs;
  };
  TransportSolution solution;
  ot::SinkhornResult result = ot::sinkhorn(held(problem.from, problem.to), problem.mu, problem.target.weights(),
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
  if (options.divergence == "off" || stopped) return solution;
  const auto value_among = [&](const ot::PrecisePoints& points, std::span<const double> weights) {
    const auto go_on = [&](const ot::SinkhornProgress&) { return !(stopped = stopped || !patience.solve()); };
    return ot::symmetric_sinkhorn(held(points, points), weights, sinkhorn, go_on).duality.dual;
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
