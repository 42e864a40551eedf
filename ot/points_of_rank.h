#pragma once

#include <cstdint>

#include "engine/cluster/cluster.h"
#include "engine/tensor.h"

namespace ot {

/// Which points of a measure a rank has: of `total` those with the numbers first, ..., first + count - 1. One process
/// has all of them.
struct PointsOfRank {
  engine::Cluster ranks;
  std::int64_t first = 0, count = 0, total = 0;

  /// Where the point of this number stands among this rank's; -1 for another's, and for no number, -1.
  std::int64_t place(std::int64_t number) const {
    return number >= first && number < first + count ? number - first : -1;
  }
  /// From what each rank has for its points, [count], what there is for all, [total]: a call that all of them make.
  engine::Tensor gathered(const engine::Tensor& own) const;
  /// The way back.
  engine::Tensor part(const engine::Tensor& all) const;
};

}  // namespace ot
