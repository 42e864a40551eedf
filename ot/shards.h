#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "ot/search/point_index.h"
#include "ot/target.h"

namespace ot {

/// How many stretches of Target::together points, the last of which may be shorter, these are: the most shards of them.
std::int64_t most_shards(std::int64_t points);

/// Where so many shards of a measure's points begin, and where the last one ends: at multiples of Target::together, as
/// even as can be. There must be no more than most_shards().
std::vector<std::int64_t> shard_bounds(std::int64_t points, std::int64_t shards);

/// A target's points in shards, each a measure of its own that nothing about the others changes. What is put together
/// of shards, in their order, depends on how many there are, but not on how many ranks have them: of a target that
/// ranks share these are those of this one, which has whole shards.
class Shards {
 public:
  struct Shard {
    Shard(const Target& whole, std::int64_t begin, std::int64_t end);

    std::int64_t first;  ///< of its points, as the rank has them
    double mass;         ///< in nu
    Target target;
    std::shared_ptr<const PointIndex> index;
  };

  /// So many, of all ranks; those whose points weigh nothing are left out. The target must outlive them. Throws Error
  /// for fewer than one, and for more than there are stretches of Target::together points.
  Shards(const Target& target, std::int64_t count);

  const Target& target() const { return target_; }
  const std::deque<Shard>& here() const { return here_; }

 private:
  const Target& target_;
  std::deque<Shard> here_;
};

}  // namespace ot
