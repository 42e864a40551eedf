#include "apps/solvers/exactly.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "ot/exact/exact.h"

namespace apps {

using ot::CostMatrix;

namespace {

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
  if (!problem.on_line())
    return ot::exact_transport(costs_while([&] { return patience.solve(); }, problem.from, problem.to, problem.target),
                               problem.mu, target.weights(),
                               [&](const ot::ExactProgress& p) { return patience.solve(p); });
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

}  // namespace

TransportSolution solve_exactly(const TransportProblem& problem, const Patience& patience) {
  ot::ExactTransport exact = exact_transport(problem, patience);
  TransportSolution solution;
  if (exact.plan.empty()) return solution;
  solution.assignment = assignment_of(problem, exact);
  solution.transport_cost = solution.primal = exact.value;
  solution.dual = exact.value - exact.gap;
  solution.marginal_error = solution.chi_squared = 0;
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

}  // namespace apps
