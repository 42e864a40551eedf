#include "apps/solvers/by_ascent.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "apps/ways.h"
#include "engine/error.h"
#include "ot/ascent/averaged_ascent.h"
#include "ot/ascent/semidual_ascent.h"
#include "ot/exact/exact_completion.h"
#include "ot/layered_potential.h"
#include "ot/potential.h"
#include "ot/search/point_index.h"
#include "ot/transformer.h"

namespace apps {

using engine::real;
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

ot::AscentObserver watch(const SolverObserver& observer, const ot::Transformer& c_transform, Ways& ways) {
  return [&, stages = 0](const ot::AscentProgress& progress) mutable {
    const bool begins = std::exchange(stages, progress.stages) < progress.stages;
    return observer({.iterations = progress.step,
                     .dual = progress.estimate.dual,
                     .detail = begins ? ways.line(c_transform.ways()) : ""});
  };
}

/// psi, by layers of an index or, without one, by points.
std::unique_ptr<ot::Potential> make_potential(const ot::Target& target, const ot::PointIndex* index) {
  if (!index) return std::make_unique<ot::VectorPotential>(target);
  return std::make_unique<ot::LayeredPotential>(*index, ot::LayeredPotential::usual_layers(target.total()));
}

void take(TransportSolution& solution, const ot::SemidualEstimate& estimate) {
  solution.dual = estimate.dual;
  solution.chi_squared = estimate.chi_squared;
  solution.chi_squared_error = estimate.chi_squared_error;
}

/// In stages, psi the last iterate.
TransportSolution in_stages(ot::Transformer& c_transform, const ot::Source& source, ot::Potential& potential,
                            const TransportProblem& problem, const SolveOptions& options,
                            const ot::AscentObserver& observer) {
  const ot::AscentOptions ascent{
      .optimizer = options.solver == "adam" ? ot::DualOptimizer::adam : ot::DualOptimizer::asgd,
      .lambda = options.lambda,
      .first_lambda = options.lambda_schedule,
      .steps = options.iterations,
      .batch = options.batch > 0 ? options.batch : problem.sources(),
      .rate = options.rate,
      .tolerance = options.tolerance};
  const ot::AscentResult result = ot::ascend_semidual(c_transform, source, potential, ascent, observer);
  TransportSolution solution;
  take(solution, result.estimate);
  const Tensor psi = potential.values();
  solution.psi.assign(psi.values().begin(), psi.values().end());
  solution.iterations = result.steps;
  solution.converged = result.converged;
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

/// By the mean of the iterates.
TransportSolution averaged(ot::Transformer& c_transform, const ot::Source& source, ot::Potential& potential,
                           const TransportProblem& problem, const SolveOptions& options,
                           const ot::AscentObserver& observer) {
  using Method = ot::AveragedMethod;
  const ot::AveragedResult result = ot::ascend_averaged(c_transform, source, potential,
                                                        {.method = options.solver == "adam"   ? Method::adam
                                                                   : options.solver == "asgd" ? Method::asgd
                                                                                              : Method::drag,
                                                         .lambda = options.lambda,
                                                         .first_lambda = options.lambda_schedule,
                                                         .steps = options.iterations,
                                                         .batch = options.batch > 0 ? options.batch : problem.sources(),
                                                         .rate = options.rate,
                                                         .tolerance = options.tolerance},
                                                        observer);
  TransportSolution solution;
  take(solution, result.estimate);
  solution.psi = problem.target.ranks().gather(std::span<const double>(result.psi));
  solution.iterations = result.steps;
  solution.converged = result.converged;
  if (problem.law) {
    solution.samples = result.samples;
    solution.standard_error = result.estimate.dual_error;
  }
  return solution;
}

}  // namespace

TransportSolution solve_by_ascent(const TransportProblem& problem, const SolveOptions& options,
                                  const SolverObserver& observer, const Patience& patience) {
  std::shared_ptr<const ot::PointIndex> index;
  if (options.dual == "layers") index = std::make_shared<const ot::PointIndex>(problem.target);
  ot::Transformer c_transform(problem.target, index);
  const std::unique_ptr<ot::Potential> potential = make_potential(problem.target, index.get());
  std::optional<ot::PointSource> points;
  if (!problem.law) points.emplace(problem.x, problem.mu, options.seed);
  const ot::Source& source = points ? *points : *problem.law;
  Ways ways;
  const auto ascend = options.averaged(problem.law != nullptr) ? averaged : in_stages;
  TransportSolution solution =
      ascend(c_transform, source, *potential, problem, options, watch(observer, c_transform, ways));
  observer({.detail = ways.line(c_transform.ways())});
  if (!std::isfinite(solution.dual)) return solution;
  if (!solution.psi.empty()) observer({.psi = solution.psi});
  if (problem.law || solution.psi.empty()) return solution;
  Tensor psi({std::ssize(solution.psi)});
  std::ranges::transform(solution.psi, psi.data(), [](double value) { return static_cast<real>(value); });
  transform(problem, c_transform, psi, options.lambda, patience, solution);
  complete(problem, options, patience, solution);
  return solution;
}

}  // namespace apps
