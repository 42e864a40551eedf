#include "ot/subset.h"

#include <utility>

namespace ot {

using engine::Tensor;

namespace {
std::vector<std::int64_t> support_of(const Target& target) {
  std::vector<std::int64_t> support;
  for (std::int64_t j = 0; j < target.size(); ++j)
    if (target.weights()[static_cast<std::size_t>(j)] > 0) support.push_back(j);
  return support;
}

std::vector<std::int64_t> draw(const Target& target, std::int64_t count, const engine::Random& random) {
  if (target.uniform()) return random.subset(target.size(), count);
  const std::vector<std::int64_t> support = support_of(target);
  std::vector<std::int64_t> points = random.subset(static_cast<std::int64_t>(support.size()), count);
  for (std::int64_t& point : points) point = support[static_cast<std::size_t>(point)];
  return points;
}
}  // namespace

Subset::Subset(const Target& whole, std::vector<std::int64_t> which)
    : points(std::move(which)), target(whole.subset(points)) {}

Subset::Subset(const Target& whole, std::int64_t count, const engine::Random& random)
    : Subset(whole, draw(whole, count, random)) {}

Tensor Subset::gather(const Tensor& values) const {
  Tensor result({target.size()});
  for (std::size_t m = 0; m < points.size(); ++m) result.values()[m] = values.data()[points[m]];
  return result;
}

void Subset::scatter(const Tensor& values, Tensor& all) const {
  for (std::size_t m = 0; m < points.size(); ++m) all.data()[points[m]] = values.values()[m];
}

}  // namespace ot
