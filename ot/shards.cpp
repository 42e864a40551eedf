#include "ot/shards.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "engine/error.h"

namespace ot {

namespace {

double mass_of(const Target& target, std::int64_t begin, std::int64_t end) {
  return std::accumulate(target.weights().begin() + begin, target.weights().begin() + end, 0.0);
}

}  // namespace

std::int64_t most_shards(std::int64_t points) {
  return (points + Target::together - 1) / Target::together;
}

std::vector<std::int64_t> shard_bounds(std::int64_t points, std::int64_t shards) {
  std::vector<std::int64_t> bounds;
  for (std::int64_t s = 0; s <= shards; ++s)
    bounds.push_back(std::min(points, most_shards(points) * s / shards * Target::together));
  return bounds;
}

Shards::Shard::Shard(const Target& whole, std::int64_t begin, std::int64_t end)
    : first(begin),
      mass(mass_of(whole, begin, end)),
      target(whole.part(begin, end)),
      index(std::make_shared<const PointIndex>(target)) {}

Shards::Shards(const Target& target, std::int64_t count) : target_(target) {
  engine::require(count >= 1 && count <= most_shards(target.total()), "[shards] of ", target.total(),
                  " points there must be 1 to ", most_shards(target.total()), ": ", count);
  const std::vector<std::int64_t> bounds = shard_bounds(target.total(), count);
  const std::int64_t first = target.of_rank().first, last = first + target.size();
  for (std::size_t s = 0; s + 1 < bounds.size(); ++s) {
    if (bounds[s + 1] <= first || bounds[s] >= last) continue;
    assert(bounds[s] >= first && bounds[s + 1] <= last);
    if (mass_of(target, bounds[s] - first, bounds[s + 1] - first) > 0)
      here_.emplace_back(target, bounds[s] - first, bounds[s + 1] - first);
  }
}

}  // namespace ot
