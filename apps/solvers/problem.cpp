#include "apps/solvers/problem.h"

#include <algorithm>
#include <utility>

namespace apps {

double expectation(std::span<const double> weights, std::span<const double> values) {
  double sum = 0;
  for (std::size_t k = 0; k < weights.size(); ++k)
    if (weights[k] > 0) sum += weights[k] * values[k];
  return sum;
}

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

}  // namespace apps
