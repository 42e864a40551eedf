#include "apps/learn/data_draws.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace apps {

DataDraws::DataDraws(const ot::Target& nu) : nu_(nu) {
  if (nu.uniform()) return;
  cumulated_.resize(nu.weights().size());
  std::partial_sum(nu.weights().begin(), nu.weights().end(), cumulated_.begin());
}

engine::Tensor DataDraws::operator()(std::int64_t count, const engine::Random& random) const {
  std::vector<std::int64_t> points;
  if (cumulated_.empty()) {
    points = random.subset(nu_.size(), count);
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      // A point that weighs nothing ends where the one before it does, and is never the first to pass the draw.
      const double draw = random.uniform(static_cast<std::uint64_t>(i)) * cumulated_.back();
      points.push_back(std::ranges::upper_bound(cumulated_, draw) - cumulated_.begin());
    }
  }
  engine::Tensor y({count, nu_.dimension()});
  for (std::size_t i = 0; i < points.size(); ++i)
    nu_.rows(points[i], points[i] + 1, y.data() + static_cast<std::int64_t>(i) * nu_.dimension());
  return y;
}

}  // namespace apps
