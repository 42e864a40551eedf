#include "apps/solvers.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "apps/resources.h"
#include "engine/error.h"
#include "ot/c_transform.h"
#include "ot/cost_matrix.h"
#include "ot/duality.h"
#include "ot/exact.h"
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

/// What is thrown by costs once the solver is to end.
struct Ended {};

/// Whether to go on: with what makes a result whole for half a second after the observer has said no.
class Patience {
 public:
  explicit Patience(const SolverObserver& observer) : observer_(observer) {}

  bool solve() const { return observer_({}); }
  bool solve(const ot::ExactProgress& progress) const {
    return observer_(
        {.words = progress.unplaced > 0
                      ? engine::text("placed ", std::lround(100 * (1 - progress.unplaced)), "% of the mass")
                      : engine::text("all mass is placed, round ", progress.rounds + 1, " of pricing")});
  }
  bool finish(const std::string& words = "") const {
    using Clock = std::chrono::steady_clock;
    if (observer_({.words = words})) return true;
    const Clock::duration now = Clock::now().time_since_epoch();
    Clock::rep since = 0;
    if (ended_.compare_exchange_strong(since, now.count())) since = now.count();
    return now - Clock::duration(since) < std::chrono::milliseconds(500);
  }

 private:
  const SolverObserver& observer_;
  mutable std::atomic<std::chrono::steady_clock::rep> ended_ = 0;  // when that was first seen
};

/// The costs in double; a row throws Ended where `go_on` says no.
template <class GoOn>
CostMatrix costs_of(const ot::PrecisePoints& x, const ot::PrecisePoints& y, const ot::Target& target,
                    const GoOn& go_on) {
  const CostMatrix costs = ot::cost_matrix(x, y, target.scale(), target.ground_cost());
  return {x.count, y.count, [costs, go_on](std::int64_t i, double* row) {
            if (!go_on()) throw Ended();
            costs.row(i, row);
          }};
}

/// Takes the rows of the plan that are wanted as they come.
ot::PlanObserver keep_rows(const TransportProblem& problem, TransportSolution& solution) {
  const auto [begin, end] = problem.rows;
  if (end == 0) return {};
  const std::int64_t m = problem.target.size();
  solution.plan_rows.assign(static_cast<std::size_t>((end - begin) * m), 0);
  return [&solution, begin = begin, end = end, m](std::int64_t i, std::span<const double> row) {
    if (i >= begin && i < end) std::ranges::copy(row, solution.plan_rows.begin() + (i - begin) * m);
  };
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

/// For each source point the target point that most of its mass goes to; for those without mass the nearest by psi.
std::vector<std::int64_t> assignment_of(const TransportProblem& problem, const ot::ExactTransport& exact) {
  std::vector<std::int64_t> assignment(problem.mu.size(), -1);
  std::vector<double> largest(problem.mu.size(), 0);
  for (const ot::Flow& flow : exact.plan) {
    const auto i = static_cast<std::size_t>(flow.source);
    if (flow.mass > largest[i]) largest[i] = flow.mass, assignment[i] = flow.target;
  }
  const CostMatrix costs =
      ot::cost_matrix(problem.from, problem.to, problem.target.scale(), problem.target.ground_cost());
  std::vector<double> row(exact.psi.size());
  for (std::size_t i = 0; i < assignment.size(); ++i) {
    if (assignment[i] >= 0) continue;
    costs.row(static_cast<std::int64_t>(i), row.data());
    for (std::size_t j = 0; j < row.size(); ++j)
      row[j] = problem.target.weights()[j] > 0 ? row[j] - exact.psi[j] : std::numeric_limits<double>::infinity();
    assignment[i] = std::ranges::min_element(row) - row.begin();
  }
  return assignment;
}

ot::ExactTransport exact_transport(const TransportProblem& problem, const Patience& patience) {
  const ot::Target& target = problem.target;
  if (!on_line(problem))
    return ot::exact_transport(costs_of(problem.from, problem.to, target, [&] { return patience.solve(); }), problem.mu,
                               target.weights(), [&](const ot::ExactProgress& p) { return patience.solve(p); });
  const auto coordinates = [](const ot::PrecisePoints& points) {
    std::vector<double> values, buffer;
    for (std::int64_t i = 0; i < points.count; ++i) values.push_back(points(i, buffer)[0]);
    return values;
  };
  return ot::exact_transport_on_line(
      coordinates(problem.from), coordinates(problem.to), problem.mu, target.weights(), [&](double a, double b) {
        const ot::PrecisePoint x(&a, 1), y(&b, 1);
        const ot::GroundCost* ground = target.ground_cost().get();
        return target.scale() * (ground ? ground->precise_value(x, y) : ot::precise_squared_distance(x, y));
      });
}

TransportSolution solve_exactly(const TransportProblem& problem, const Patience& patience) {
  ot::ExactTransport exact = exact_transport(problem, patience);
  TransportSolution solution;
  if (exact.plan.empty()) return solution;
  solution.assignment = assignment_of(problem, exact);
  solution.transport_cost = solution.primal = exact.value;
  solution.dual = exact.value - exact.gap;
  solution.marginal_error = 0;
  if (keep_rows(problem, solution))
    for (const ot::Flow& flow : exact.plan)
      if (flow.source >= problem.rows.begin && flow.source < problem.rows.end)
        solution.plan_rows[static_cast<std::size_t>((flow.source - problem.rows.begin) * problem.target.size() +
                                                    flow.target)] = flow.mass;
  solution.converged = exact.proven();
  if (!solution.converged)
    solution.remarks.push_back("double does not hold costs so far apart: psi proves the value up to the gap alone");
  solution.psi = std::move(exact.psi);
  solution.phi = std::move(exact.phi);
  solution.iterations = exact.rounds;
  return solution;
}

TransportSolution solve_by_sinkhorn(const TransportProblem& problem, const SolveOptions& options,
                                    const SolverObserver& observer, const Patience& patience) {
  const ot::SinkhornOptions sinkhorn{.lambda = options.lambda,
                                     .iterations = options.iterations,
                                     .tolerance = options.tolerance,
                                     .scaling = options.lambda_schedule};
  bool stopped = false;
  const auto watch = [&](const ot::SinkhornProgress& progress) {
    stopped = !observer({progress.iteration, progress.dual, ""});
    return !stopped;
  };
  const auto held = [&](const ot::PrecisePoints& x, const ot::PrecisePoints& y) {
    CostMatrix costs = costs_of(x, y, problem.target, [&] { return patience.solve(); });
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

/// The c-transform phi of psi with the dual and, at lambda = 0, the assignment; none of them if it takes too long.
void transform(const TransportProblem& problem, const Tensor& psi, double lambda, const Patience& patience,
               TransportSolution& solution) {
  const std::int64_t n = problem.sources(), d = problem.target.dimension();
  std::vector<double> phi;
  std::vector<std::int64_t> assignment;
  for (std::int64_t begin = 0; begin < n; begin += points_at_once) {
    if (!patience.finish()) return;
    const std::int64_t size = std::min(points_at_once, n - begin);
    const Tensor part({size, d}, std::span(problem.x.data() + begin * d, static_cast<std::size_t>(size * d)));
    const ot::CTransform found = ot::c_transform(problem.target, part, psi, lambda);
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
  CostMatrix costs = costs_of(problem.from, problem.to, problem.target, go_on);
  const bool few = problem.entries() <= most_primal_entries;
  try {
    if (few) {
      costs.hold();
      const ot::Completion completion = options.lambda == 0 && problem.entries() <= most_completed_entries
                                            ? ot::exact_completion(costs, completing)
                                            : ot::Completion();
      if (go_on())
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

TransportSolution solve_by_ascent(const TransportProblem& problem, const SolveOptions& options,
                                  const SolverObserver& observer, const Patience& patience) {
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
  const ot::AscentResult result =
      ot::ascend_semidual(target, source, potential, ascent, [&](const ot::AscentProgress& progress) {
        return observer({progress.step, progress.estimate.dual, ""});
      });
  TransportSolution solution;
  solution.iterations = result.steps;
  solution.converged = result.converged;
  solution.dual = result.estimate.dual;
  solution.chi_squared = result.estimate.chi_squared;
  solution.chi_squared_error = result.estimate.chi_squared_error;
  const Tensor psi = potential.values();
  solution.psi.assign(psi.values().begin(), psi.values().end());
  transform(problem, psi, options.lambda, patience, solution);
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

/// The solution in units of the costs as they were given.
void scale(TransportSolution& solution, double unit) {
  for (std::vector<double>* values : {&solution.psi, &solution.phi})
    for (double& value : *values) value *= unit;
  solution.dual *= unit;
  for (std::optional<double>* value : {&solution.transport_cost, &solution.primal, &solution.divergence})
    if (*value) **value *= unit;
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

TransportSolution solve_transport(const TransportProblem& problem, const SolveOptions& given,
                                  const SolverObserver& observer) {
  SolveOptions options = given;
  options.lambda /= problem.unit;
  options.rate /= problem.unit;
  if (options.stochastic()) options.lambda_schedule /= problem.unit;
  const SolverObserver told = [&](SolverProgress progress) {
    progress.dual *= problem.unit;
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
