#include "ot/plan/duality.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::simd::kernels;

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Calls visit(piece, i, costs, row) for each row of the matrix, by pieces in parallel; `row` has room for a plan's,
/// and the costs may be overwritten.
template <class Visit>
void for_each_row(const CostMatrix& costs, const Visit& visit) {
  constexpr std::int64_t most_rows = 16;  // whose costs are made together
  const std::int64_t m = costs.columns(), grain = costs.rows_per_piece();
  engine::parallel_for(costs.rows(), grain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> some(static_cast<std::size_t>(std::min(most_rows, end - begin) * m)),
        row(static_cast<std::size_t>(m));
    for (std::int64_t first = begin; first < end; first += most_rows) {
      const std::int64_t rows = std::min(most_rows, end - first);
      costs.tile({first, rows, 0, m}, some.data());
      for (std::int64_t r = 0; r < rows; ++r)
        visit(static_cast<std::size_t>(begin / grain), static_cast<std::size_t>(first + r), some.data() + r * m,
              std::span(row));
    }
  });
}

double sum(const std::vector<double>& values) {
  double total = 0;
  for (const double value : values) total += value;
  return total;
}

double least_of(std::span<const double> values) {
  constexpr std::size_t lanes = 8;
  double least[lanes];
  std::ranges::fill(least, infinity);
  std::size_t j = 0;
  for (; j + lanes <= values.size(); j += lanes)
    for (std::size_t l = 0; l < lanes; ++l) least[l] = values[j + l] < least[l] ? values[j + l] : least[l];
  for (; j < values.size(); ++j) least[0] = std::min(least[0], values[j]);
  return *std::ranges::min_element(least);
}

/// The c-transform at a point of mass mu, whose share of the plan is written to `row`.
double transform(const double* costs, double mu, std::span<const double> nu, std::span<const double> psi, double lambda,
                 std::span<double> row) {
  for (std::size_t j = 0; j < row.size(); ++j) {
    const double u = costs[j] - psi[j];
    row[j] = nu[j] > 0 ? u : infinity;
  }
  const double least = least_of(row);
  if (lambda == 0) {
    const auto winner = std::ranges::find(row, least);
    std::ranges::fill(row, 0);
    *winner = mu;
    return least;
  }
  const double rate = 1 / lambda;
  for (double& u : row) u = (least - u) * rate;
  kernels().precise_exp(std::ssize(row), row.data(), row.data());
  const double total = sum_of_terms(row.size(), [&](std::size_t j) { return row[j] *= nu[j]; });
  for (double& share : row) share *= mu / total;
  return least - lambda * std::log(total);
}

/// sum_j row_j log(row_j / (mu nu_j)), with room for the logarithms.
double entropy_of(std::span<const double> row, double mu, std::span<const double> nu, std::span<double> logs) {
  for (std::size_t j = 0; j < row.size(); ++j) logs[j] = row[j] > 0 ? row[j] / (mu * nu[j]) : 1;
  kernels().precise_log(std::ssize(logs), logs.data(), logs.data());
  return sum_of_terms(row.size(), [&](std::size_t j) { return row[j] * logs[j]; });
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

  // What is kept of a row of the plan, and the mass that is left.
  const auto keep_of = [&](std::size_t i, const double* row_costs, std::span<double> row) {
    plan_row(row_costs, mu[i], nu, psi, lambda, row);
    return std::max(mu[i] - sum_of_terms(m, [&](std::size_t j) { return row[j] *= keep[j]; }), 0.0);
  };
  std::vector<Flow> flows;
  if (completion) {
    std::vector<double> left(n);
    for_each_row(costs, [&](std::size_t, std::size_t i, const double* row_costs, std::span<double> row) {
      left[i] = keep_of(i, row_costs, row);
    });
    flows = completion(left, room);
  }
  const double all_room = flows.empty() ? sum(room) : 0;

  std::vector<double> linear(n), entropy(n);
  for_each_row(costs, [&](std::size_t, std::size_t i, double* row_costs, std::span<double> row) {
    const double left = keep_of(i, row_costs, row);
    if (all_room > 0)
      for (std::size_t j = 0; j < m; ++j) row[j] += left / all_room * room[j];
    const auto source = static_cast<std::int64_t>(i);
    const auto first = std::lower_bound(flows.begin(), flows.end(), source,
                                        [](const Flow& flow, std::int64_t k) { return flow.source < k; });
    for (auto flow = first; flow != flows.end() && flow->source == source; ++flow)
      row[static_cast<std::size_t>(flow->target)] += flow->mass;
    if (observer) observer(source, row);
    linear[i] = sum_of_terms(m, [&](std::size_t j) { return row[j] * row_costs[j]; });
    if (lambda > 0) entropy[i] = entropy_of(row, mu[i], nu, {row_costs, m});
  });
  result.transport_cost = sum(linear);
  result.primal = result.transport_cost + lambda * sum(entropy);
  return result;
}

}  // namespace ot
