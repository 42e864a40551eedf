#include "ot/completed_plan.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "engine/parallel.h"
#include "ot/exact.h"

namespace ot {

namespace {
/// Points with some mass left, and their shares of all that is left.
struct Rest {
  std::vector<std::int64_t> points;
  std::vector<double> shares;

  /// `mass` of each point, of which the sum is `total`.
  Rest(const std::vector<double>& mass, double total) {
    for (std::size_t k = 0; k < mass.size(); ++k) {
      if (mass[k] <= 0) continue;
      points.push_back(static_cast<std::int64_t>(k));
      shares.push_back(mass[k] / total);
    }
  }
  std::int64_t size() const { return static_cast<std::int64_t>(points.size()); }
};

double sum(const std::vector<double>& values) {
  double total = 0;
  for (const double value : values) total += value;
  return total;
}

/// The cost per mass of moving the rest.
double rest_cost(const CostMatrix& costs, const Rest& sources, const Rest& targets) {
  const auto n = static_cast<std::size_t>(sources.size()), m = static_cast<std::size_t>(targets.size());
  const bool exact = sources.size() <= most_exact_entries / targets.size();
  std::vector<double> values(exact ? n * m : 0), buffer(static_cast<std::size_t>(costs.columns()));
  double proportional = 0;
  for (std::size_t a = 0; a < n; ++a) {
    const double* row = costs.row(sources.points[a], buffer.data());
    for (std::size_t b = 0; b < m; ++b) {
      const double cost = row[targets.points[b]];
      if (exact) values[a * m + b] = cost;
      proportional += sources.shares[a] * targets.shares[b] * cost;
    }
  }
  if (!exact) return proportional;
  return exact_transport({sources.size(), targets.size(), std::move(values)}, sources.shares, targets.shares).value;
}
}  // namespace

double completed_plan_cost(const CostMatrix& costs, std::span<const double> mu, std::span<const double> nu,
                           std::span<const double> psi) {
  const auto n = static_cast<std::size_t>(costs.rows());
  std::vector<std::size_t> winners(n);
  std::vector<double> winner_costs(n);
  engine::parallel_for(costs.rows(), costs.rows_per_piece(), [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> buffer(nu.size());
    for (std::int64_t row_index = begin; row_index < end; ++row_index) {
      const double* row = costs.row(row_index, buffer.data());
      double least = std::numeric_limits<double>::infinity();
      const auto i = static_cast<std::size_t>(row_index);
      for (std::size_t j = 0; j < nu.size(); ++j)
        if (nu[j] > 0 && row[j] - psi[j] < least) least = row[j] - psi[j], winners[i] = j;
      winner_costs[i] = row[winners[i]];
    }
  });
  std::vector<double> arrived(nu.size(), 0), room(nu.size()), left(n);
  for (std::size_t i = 0; i < n; ++i) arrived[winners[i]] += mu[i];
  for (std::size_t j = 0; j < nu.size(); ++j) room[j] = std::max(nu[j] - arrived[j], 0.0);
  double cost = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t j = winners[i];
    const double moved = arrived[j] > nu[j] ? mu[i] * nu[j] / arrived[j] : mu[i];
    left[i] = mu[i] - moved;
    cost += moved * winner_costs[i];
  }
  const double rest = sum(left);
  if (rest <= 1e-12) return cost;
  return cost + rest * rest_cost(costs, Rest(left, rest), Rest(room, sum(room)));
}

}  // namespace ot
