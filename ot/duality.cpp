#include "ot/duality.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/parallel.h"

namespace ot {

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();

/// One pass over the rows of a plan, which adds each to the column sums. `visit(i, costs, row)` writes row i.
template <class Visit>
std::vector<double> column_sums(const CostMatrix& costs, const Visit& visit) {
  const std::int64_t n = costs.rows(), m = costs.columns();
  const std::int64_t grain = costs.rows_per_piece(), pieces = (n + grain - 1) / grain;
  std::vector<double> sums(static_cast<std::size_t>(pieces * m), 0);
  engine::parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> buffer(static_cast<std::size_t>(m)), row(static_cast<std::size_t>(m));
    double* piece = sums.data() + begin / grain * m;
    for (std::int64_t i = begin; i < end; ++i) {
      visit(i, costs.row(i, buffer.data()), std::span(row));
      for (std::int64_t j = 0; j < m; ++j) piece[j] += row[static_cast<std::size_t>(j)];
    }
  });
  for (std::int64_t piece = 1; piece < pieces; ++piece)
    for (std::int64_t j = 0; j < m; ++j)
      sums[static_cast<std::size_t>(j)] += sums[static_cast<std::size_t>(piece * m + j)];
  sums.resize(static_cast<std::size_t>(m));
  return sums;
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
                std::span<const double> psi, double lambda) {
  const auto n = static_cast<std::size_t>(costs.rows()), m = static_cast<std::size_t>(costs.columns());
  Duality result;
  result.phi.resize(n);
  const auto write_plan = [&](std::int64_t row_index, const double* row_costs, std::span<double> row) {
    const auto i = static_cast<std::size_t>(row_index);
    result.phi[i] = transform(row_costs, mu[i], nu, psi, lambda, row);
  };
  const std::vector<double> q = column_sums(costs, write_plan);
  for (std::size_t i = 0; i < n; ++i) result.dual += mu[i] * result.phi[i];
  std::vector<double> keep(m, 0), lacking(m, 0);  // the part of a column that stays, and what it needs then
  for (std::size_t j = 0; j < m; ++j) {
    if (nu[j] == 0) continue;
    result.dual += nu[j] * psi[j];
    result.marginal_error += std::abs(q[j] - nu[j]);
    result.chi_squared += (q[j] - nu[j]) * (q[j] - nu[j]) / nu[j];
    keep[j] = q[j] > nu[j] ? nu[j] / q[j] : 1;
    lacking[j] = nu[j] - q[j] * keep[j];
  }

  const double missing = sum(lacking);
  std::vector<double> linear(n), entropy(n);
  column_sums(costs, [&](std::int64_t row_index, const double* row_costs, std::span<double> row) {
    const auto i = static_cast<std::size_t>(row_index);
    write_plan(row_index, row_costs, row);
    double kept = 0;
    for (std::size_t j = 0; j < m; ++j) kept += row[j] *= keep[j];
    const double given = missing > 0 ? std::max(mu[i] - kept, 0.0) / missing : 0;
    for (std::size_t j = 0; j < m; ++j) {
      row[j] += given * lacking[j];
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
