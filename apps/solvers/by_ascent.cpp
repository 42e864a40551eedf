#include "apps/solvers/by_ascent.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "apps/ways.h"
#include "engine/error.h"
#include "ot/ascent/semidual_ascent.h"
#include "ot/exact/exact_completion.h"
#include "ot/potential.h"
#include "ot/transformer.h"

namespace apps {

using engine::Tensor;
using ot::CostMatrix;

namespace {

/// Up to so many entries of the cost matrix, its plan is completed by exact transport of what its marginals lack.
constexpr double most_completed_entries = 1e7;
constexpr std::int64_t points_at_once = 200;

/// The c-transform phi of psi with the dual and, at lambda = 0, the assignment; none of them if it takes too long.
void transform(const TransportProblem& problem, ot::Transformer& c_transform, const Tensor& psi, double lambda,
               const Patience& patience, TransportSolution& solution) {
  const std::int64_t n = problem.sources(), d = problem.target.dimension();
  std::vector<double> phi;
  std::vector<std::int64_t> assignment;
  for (std::int64_t begin = 0; begin < n; begin += points_at_once) {
    if (!patience.finish(engine::text("c-transform of source point ", begin))) return;
    const std::int64_t size = std::min(points_at_once, n - begin);
    const Tensor part({size, d}, std::span(problem.x.data() + begin * d, static_cast<std::size_t>(size * d)));
    const ot::CTransform found = c_transform(part, psi, lambda);
    phi.insert(phi.end(), found.value.values().begin(), found.value.values().end());
    assignment.insert(assignment.end(), found.winners.begin(), found.winners.end());
  }
  solution.phi = std::move(phi);
  solution.assignment = std::move(assignment);
  solution.dual = expectation(problem.mu, solution.phi) + expectation(problem.target.weights(), solution.psi);
}

/// The plan of psi, completed, and the primal value; without them where there are too many pairs or no time.
void complete(const TransportProblem& problem, const SolveOptions& options, const Patience& patience,
              TransportSolution& solution) {
  const auto go_on = [&] { return patience.finish(); };
  const auto completing = [&](const ot::ExactProgress&) { return patience.finish("completing the plan"); };
  CostMatrix costs = costs_while(go_on, problem.from, problem.to, problem.target);
  const bool few = problem.entries() <= most_primal_entries;
  try {
    if (few) {
      costs.hold();
      const ot::Completion completion = options.lambda == 0 && problem.entries() <= most_completed_entries
                                            ? ot::exact_completion(costs, completing)
                                            : ot::Completion();
      if (patience.finish("the plan of psi"))
        return take(solution, ot::duality(costs, problem.mu, problem.target.weights(), solution.psi, options.lambda,
                                          completion, keep_rows(problem, solution)));
    }
    if (problem.rows.end == 0) return;
    const auto m = static_cast<std::size_t>(problem.target.size());
    std::vector<double> rows, row(m), buffer(m);
    for (std::int64_t i = problem.rows.begin; i < problem.rows.end; ++i) {
      ot::plan_row(costs.row(i, buffer.data()), problem.mu[static_cast<std::size_t>(i)], problem.target.weights(),
                   solution.psi, options.lambda, row);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    solution.plan_rows = std::move(rows);
    solution.remarks.push_back(
        "plan.npy is the plan that psi gives: its columns sum to the target's weights only as far as psi is optimal");
  } catch (const Ended&) {
  }
}

}  // namespace

TransportSolution solve_by_ascent(const TransportProblem& problem, const SolveOptions& options,
                                  const SolverObserver& observer, const Patience& patience) {
  const ot::AscentOptions ascent{
      .optimizer = options.solver == "adam" ? ot::DualOptimizer::adam : ot::DualOptimizer::asgd,
      .lambda = options.lambda,
      .first_lambda = options.lambda_schedule,
      .steps = options.iterations,
      .batch = options.batch > 0 ? options.batch : problem.sources(),
      .rate = options.rate,
      .tolerance = options.tolerance};
  ot::VectorPotential potential(problem.target);
  ot::Transformer c_transform(problem.target);
  const ot::SourceSampler source(problem.x, problem.mu, options.seed);
  Ways ways;
  int stages = 0;
  const ot::AscentResult result =
      ot::ascend_semidual(c_transform, source, potential, ascent, [&](const ot::AscentProgress& progress) {
        const bool begins = std::exchange(stages, progress.stages) < progress.stages;
        return observer({.iterations = progress.step,
                         .dual = progress.estimate.dual,
                         .detail = begins ? ways.line(c_transform.ways()) : ""});
      });
  observer({.detail = ways.line(c_transform.ways())});
  TransportSolution solution;
  solution.iterations = result.steps;
  solution.converged = result.converged;
  solution.dual = result.estimate.dual;
  solution.chi_squared = result.estimate.chi_squared;
  solution.chi_squared_error = result.estimate.chi_squared_error;
  const Tensor psi = potential.values();
  solution.psi.assign(psi.values().begin(), psi.values().end());
  if (std::isfinite(solution.dual)) observer({.psi = solution.psi});
  transform(problem, c_transform, psi, options.lambda, patience, solution);
  if (std::isfinite(solution.dual)) complete(problem, options, patience, solution);
  if (result.lost > 0)
    solution.remarks.push_back(
        engine::text("the dual fell by ", result.lost * problem.unit,
                     " below the best along the way, whose psi is kept: a smaller --rate or more --iterations may take "
                     "it higher"));
  if (solution.dual < -2 * result.estimate.dual_error)
    solution.remarks.push_back(
        "the dual is below 0, which psi = 0 reaches, and tells nothing of the transport yet: a "
        "smaller --rate or more --iterations take it higher");
  return solution;
}

}  // namespace apps
