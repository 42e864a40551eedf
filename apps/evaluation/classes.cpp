#include "apps/evaluation/classes.h"

#include <cmath>

#include "engine/error.h"

namespace apps::evaluation {

using engine::require;

std::vector<double> class_shares(std::span<const std::uint8_t> of_points, int classes) {
  require(!of_points.empty(), "[classes] there must be a point at least");
  std::vector<double> shares(static_cast<std::size_t>(classes), 0);
  for (const std::uint8_t c : of_points) {
    require(c < classes, "[classes] there are ", classes, " classes, from 0: ", static_cast<int>(c));
    shares[c] += 1;
  }
  for (double& share : shares) share /= static_cast<double>(of_points.size());
  return shares;
}

double total_variation(std::span<const double> p, std::span<const double> q) {
  require(p.size() == q.size(), "[classes] both must have the same number of classes: ", p.size(), " against ",
          q.size());
  double sum = 0;
  for (std::size_t c = 0; c < p.size(); ++c) sum += std::abs(p[c] - q[c]);
  return sum / 2;
}

}  // namespace apps::evaluation
