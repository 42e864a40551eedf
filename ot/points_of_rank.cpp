#include "ot/points_of_rank.h"

#include <span>

namespace ot {

using engine::Tensor;

Tensor PointsOfRank::gathered(const Tensor& own) const {
  if (ranks.size() == 1) return own;
  return {{total}, ranks.gather(std::span<const engine::real>(own.values()))};
}

Tensor PointsOfRank::part(const Tensor& all) const {
  return {{count}, all.values().subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count))};
}

}  // namespace ot
