#include "ot/plan/duality.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/parallel.h"

namespace ot {

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Calls visit(piece, i, costs, row) for each row of the matrix, by pieces in parallel; `row` has room for a plan's.
template <class Visit>
void for_each_row(const CostMatrix& costs, const Visit& visit) {
  const auto m = static_cast<std::size_t>(costs.columns());
  const std::int64_t grain = costs.rows_per_piece();
  engine::parallel_for(costs.rows(), grain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> buffer(m), row(m);
    for (std::int64_t i = begin; i < end; ++i)
      visit(static_cast<std::size_t>(begin / grain), static_cast<std::size_t>(i), costs.row(i, buffer.data()),
            std::span(row));
  });
}

double sum(const std::vector<double>& values) {
  double total = 0;
  for (const double value : values) total += value;
  return total;
}

/// The c-transform at a point of mass mu, whose share of the plan is written to `row`.
double transform(const double* costs, double mu, std::span<const double> nu, std::span<const double> psi, double lambda,
                 std::span<double> row) {
  std::size_t winner = 0;
  double least = infinity;
  for (std::size_t j = 0; j < row.size(); ++j) {
    const double u = costs[j] - psi[j];
    if (nu[j] > 0 && u < least) least = u, winner = j;
  }
  std::fill(row.begin(), row.end(), 0);
  if (lambda == 0) {
    row[winner] = mu;
    return least;
  }
  double total = 0;
  for (std::size_t j = 0; j < row.size(); ++j)
    if (nu[j] > 0) total += row[j] = nu[j] * std::exp((least - costs[j] + psi[j]) / lambda);
  for (double& share : row) share *= mu / total;
  return least - lambda * std::log(total);
}
}  // namespace

void plan_row(const double* costs, double mu, std::span<const double> nu, std::span<const double> psi, double lambda,
              std::span<double> row) {
  transform(costs, mu, nu, psi, lambda, row);
}

Duality duality(const CostMatrix& costs, std::span<const double> mu, std::span<const double> nu,
                std::span<const double> psi, double lambda, const Completion& completion,
                const PlanObserver& observer) {
  const auto n = static_cast<std::size_t>(costs.rows()), m = static_cast<std::size_t>(costs.columns());
  Duality result;
  result.phi.resize(n);
  const auto pieces = static_cast<std::size_t>((costs.rows() + costs.rows_per_piece() - 1) / costs.rows_per_piece());
  std::vector<double> sums(pieces * m, 0), q(m, 0);
  for_each_row(costs, [&](std::size_t piece, std::size_t i, const double* row_costs, std::span<double> row) {
    result.phi[i] = transform(row_costs, mu[i], nu, psi, lambda, row);
    for (std::size_t j = 0; j < m; ++j) sums[piece * m + j] += row[j];
  });
  for (std::size_t piece = 0; piece < pieces; ++piece)
    for (std::size_t j = 0; j < m; ++j) q[j] += sums[piece * m + j];
  for (std::size_t i = 0; i < n; ++i) result.dual += mu[i] * result.phi[i];
  std::vector<double> keep(m, 0), room(m, 0);  // the part of a column that stays, and what it lacks then
  for (std::size_t j = 0; j < m; ++j) {
    if (nu[j] == 0) continue;
    result.dual += nu[j] * psi[j];
    result.marginal_error += std::abs(q[j] - nu[j]);
    result.chi_squared += (q[j] - nu[j]) * (q[j] - nu[j]) / nu[j];
    keep[j] = q[j] > nu[j] ? nu[j] / q[j] : 1;
    room[j] = nu[j] - q[j] * keep[j];
  }

  std::vector<double> left(n);
  for_each_row(costs, [&](std::size_t, std::size_t i, const double* row_costs, std::span<double> row) {
    plan_row(row_costs, mu[i], nu, psi, lambda, row);
    left[i] = mu[i];
    for (std::size_t j = 0; j < m; ++j) left[i] -= row[j] * keep[j];
    left[i] = std::max(left[i], 0.0);
  });
  const std::vector<Flow> flows = completion ? completion(left, room) : std::vector<Flow>();
  const double all_room = flows.empty() ? sum(room) : 0;

  std::vector<double> linear(n), entropy(n);
  for_each_row(costs, [&](std::size_t, std::size_t i, const double* row_costs, std::span<double> row) {
    plan_row(row_costs, mu[i], nu, psi, lambda, row);
    for (std::size_t j = 0; j < m; ++j) row[j] *= keep[j];
    if (all_room > 0)
      for (std::size_t j = 0; j < m; ++j) row[j] += left[i] / all_room * room[j];
    const auto source = static_cast<std::int64_t>(i);
    const auto first = std::lower_bound(flows.begin(), flows.end(), source,
                                        [](const Flow& flow, std::int64_t k) { return flow.source < k; });
    for (auto flow = first; flow != flows.end() && flow->source == source; ++flow)
      row[static_cast<std::size_t>(flow->target)] += flow->mass;
    if (observer) observer(source, row);
    for (std::size_t j = 0; j < m; ++j) {
      if (row[j] <= 0) continue;
      linear[i] += row[j] * row_costs[j];
      if (lambda > 0) entropy[i] += row[j] * std::log(row[j] / (mu[i] * nu[j]));
    }
  });
  result.transport_cost = sum(linear);
  result.primal = result.transport_cost + lambda * sum(entropy);
  return result;
}

}  // namespace ot
