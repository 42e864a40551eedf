#include "ot/ascent/sampled_costs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "ot/plan/cost_matrix.h"

namespace ot {

SampledCosts::SampledCosts(const Target& target, const engine::Tensor& x) {
  const CostMatrix costs = cost_matrix(target, x);
  std::vector<double> buffer(static_cast<std::size_t>(costs.columns()));
  const auto rows = static_cast<double>(costs.rows()), columns = static_cast<double>(target.total());
  for (std::int64_t i = 0; i < costs.rows(); ++i) {
    const std::span row(costs.row(i, buffer.data()), buffer.size());
    struct {
      double sum = 0, least = std::numeric_limits<double>::infinity(), most = 0, squares = 0;
    } all;
    target.ranks().in_turn(all, [&] {
      for (const double cost : row) {
        all.sum += std::abs(cost), all.least = std::min(all.least, std::abs(cost));
        all.most = std::max(all.most, std::abs(cost));
      }
    });
    target.ranks().in_turn(all.squares, [&] {
      for (const double cost : row)
        all.squares += (std::abs(cost) - all.sum / columns) * (std::abs(cost) - all.sum / columns);
    });
    largest = std::max(largest, all.most);
    mean += all.sum / (columns * rows);
    nearest += all.least / rows;
    spread += std::sqrt(all.squares / columns) / rows;
  }
}

}  // namespace ot
