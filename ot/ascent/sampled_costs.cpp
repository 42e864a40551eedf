#include "ot/ascent/sampled_costs.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "ot/plan/cost_matrix.h"

namespace ot {

SampledCosts::SampledCosts(const Target& target, const engine::Tensor& x) {
  const CostMatrix costs = cost_matrix(target, x);
  std::vector<double> buffer(static_cast<std::size_t>(costs.columns()));
  const auto rows = static_cast<double>(costs.rows()), columns = static_cast<double>(costs.columns());
  for (std::int64_t i = 0; i < costs.rows(); ++i) {
    const std::span row(costs.row(i, buffer.data()), buffer.size());
    double sum = 0, least = std::abs(row[0]), squares = 0;
    for (const double cost : row) {
      sum += std::abs(cost), least = std::min(least, std::abs(cost));
      largest = std::max(largest, std::abs(cost));
    }
    for (const double cost : row) squares += (std::abs(cost) - sum / columns) * (std::abs(cost) - sum / columns);
    mean += sum / (columns * rows);
    nearest += least / rows;
    spread += std::sqrt(squares / columns) / rows;
  }
}

}  // namespace ot
