#include "apps/evaluation/copying.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "ot/transformer.h"

namespace apps::evaluation {

using engine::real;
using engine::Tensor;

namespace {
constexpr std::int64_t points_at_once = 200;
}

NearestTraining nearest_training(const ot::Target& training, const Tensor& x, std::span<const std::int64_t> without) {
  const std::int64_t n = x.dim(0), d = x.dim(1);
  // A potential that no distance makes up for takes points out of the c-transform's minimum.
  double longest = 0;
  const Tensor centred = training.centred(x);
  for (std::int64_t i = 0; i < n; ++i) {
    double square = 0;
    for (const real value : centred.values().subspan(static_cast<std::size_t>(i * d), static_cast<std::size_t>(d)))
      square += static_cast<double>(value) * static_cast<double>(value);
    longest = std::max(longest, std::sqrt(square));
  }
  const double reach = longest + training.longest();
  Tensor psi = Tensor::zeros({training.size()});
  for (const std::int64_t j : without) psi.data()[j] = static_cast<real>(-2 * training.scale() * reach * reach);

  NearestTraining nearest;
  ot::Transformer transform(training);
  for (std::int64_t begin = 0; begin < n; begin += points_at_once) {
    const std::int64_t size = std::min(points_at_once, n - begin);
    const Tensor part({size, d},
                      x.values().subspan(static_cast<std::size_t>(begin * d), static_cast<std::size_t>(size * d)));
    for (const std::int64_t winner : transform(part, psi, 0).winners) nearest.points.push_back(winner);
  }
  for (std::int64_t i = 0; i < n; ++i)
    nearest.squared_distances.push_back(
        training.squared_distance(x.data() + i * d, nearest.points[static_cast<std::size_t>(i)]));
  return nearest;
}

double copying_statistic(std::span<const double> generated, std::span<const double> held_out) {
  std::vector<double> sorted(held_out.begin(), held_out.end());
  std::sort(sorted.begin(), sorted.end());
  double u = 0;
  for (const double distance : generated) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), distance);
    u += static_cast<double>(first - sorted.begin()) + static_cast<double>(last - first) / 2;
  }
  const auto m = static_cast<double>(generated.size()), n = static_cast<double>(held_out.size());
  return (u - (m * n / 2 - 0.5)) / std::sqrt(m * n * (m + n + 1) / 12);
}

double share_of_distinct(std::span<const std::int64_t> points) {
  const std::set<std::int64_t> distinct(points.begin(), points.end());
  return static_cast<double>(distinct.size()) / static_cast<double>(points.size());
}

}  // namespace apps::evaluation
