#include "ot/dense/winners.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/parallel.h"

namespace ot {

using engine::Tensor;

namespace {
constexpr real not_a_number = std::numeric_limits<real>::quiet_NaN();

/// The share of the queries that each point wins.
Tensor winners_mass(std::int64_t points, std::vector<std::int64_t> winners) {
  std::sort(winners.begin(), winners.end());
  if (winners.front() < 0) return Tensor::full({points}, not_a_number);
  Tensor mass = Tensor::zeros({points});
  for (auto first = winners.begin(); first != winners.end();) {
    const auto last = std::upper_bound(first, winners.end(), *first);
    mass.data()[*first] = static_cast<real>(static_cast<double>(last - first) / static_cast<double>(winners.size()));
    first = last;
  }
  return mass;
}
}  // namespace

CTransform transform_at(const Target& target, const Tensor& x, const Tensor& psi, std::vector<std::int64_t> winners,
                        Wanted wanted) {
  const std::int64_t batch = x.dim(0), dimension = x.dim(1);
  CTransform result;
  result.value = Tensor({batch});
  if (wanted.gradient) result.gradient = Tensor(x.shape());
  engine::parallel_for(batch, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t winner = winners[static_cast<std::size_t>(i)];
      const real* row = x.data() + i * dimension;
      result.value.data()[i] =
          winner < 0 ? not_a_number : static_cast<real>(target.cost(row, winner) - psi.data()[winner]);
      if (!wanted.gradient) continue;
      real* gradient = result.gradient.data() + i * dimension;
      if (winner < 0)
        std::fill_n(gradient, dimension, not_a_number);
      else
        target.cost_gradient(row, winner, gradient);
    }
  });
  if (wanted.mass) result.mass = winners_mass(target.size(), winners);
  result.winners = std::move(winners);
  return result;
}

}  // namespace ot
