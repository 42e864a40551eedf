#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "engine/simd/kernels.h"
#include "ot/target.h"
#include "ot/transformed.h"

namespace ot {

/// The c-transform for lambda = 0 once it is known which point attains each minimum, winners [B]: its value as
/// Target::cost() has it, its gradient (43) and its mass. A winner -1 stands for a row that has none. Of a target whose
/// points ranks share, the winners are those of this one's points, by their places; what comes is the c-transform to
/// all, but for the mass, which is that of its own.
CTransform transform_at(const Target& target, const engine::Tensor& x, const engine::Tensor& psi,
                        std::vector<std::int64_t> winners, Wanted wanted);

/// The winner of a query by its minima over tiles, minima[0], minima[stride], ..., whose values err by
/// rounding(minimum) at most: those that may be the least by that are compared by exact(index), in which equal points
/// are equal wherever they stand, and of equals the first wins. -1 where no tile has one.
template <class Rounding, class Exact>
std::int64_t settle(const engine::simd::Minimum* minima, std::int64_t stride, std::int64_t tiles,
                    const Rounding& rounding, const Exact& exact) {
  double limit = std::numeric_limits<double>::infinity(), lowest = limit;
  for (std::int64_t tile = 0; tile < tiles; ++tile)
    if (const engine::simd::Minimum& m = minima[tile * stride]; m.index >= 0)
      limit = std::min(limit, m.value + rounding(m));
  std::int64_t winner = -1;
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const engine::simd::Minimum& m = minima[tile * stride];
    if (m.index < 0 || m.value - rounding(m) > limit) continue;
    if (const double value = exact(m.index); value < lowest) lowest = value, winner = m.index;
  }
  return winner;
}

}  // namespace ot
