#include "apps/evaluation/coverage.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace apps::evaluation {

namespace {

double share_in_a_ball(const OtherNeighbours& other) {
  const auto inside = std::count_if(other.balls.begin(), other.balls.end(), [](std::int64_t n) { return n > 0; });
  return static_cast<double>(inside) / static_cast<double>(other.balls.size());
}

/// For how many points of a set the nearest one is of this set.
double nearest_is_own(const std::vector<double>& own, const std::vector<double>& other) {
  double count = 0;
  for (std::size_t i = 0; i < own.size(); ++i) count += own[i] < other[i] ? 1 : own[i] == other[i] ? 0.5 : 0;
  return count;
}

}  // namespace

Coverage coverage(const PointSet& real, const PointSet& generated) {
  const OtherNeighbours of_generated = other_neighbours(generated.points, real.points, real.own.kth);
  const OtherNeighbours of_real = other_neighbours(real.points, generated.points, generated.own.kth);
  const auto n = static_cast<double>(real.points.dim(0)), m = static_cast<double>(generated.points.dim(0));
  Coverage result;
  result.precision = share_in_a_ball(of_generated);
  result.recall = share_in_a_ball(of_real);
  const auto balls = std::accumulate(of_generated.balls.begin(), of_generated.balls.end(), std::int64_t{0});
  result.density = static_cast<double>(balls) / (ball_neighbour * m);
  double covered = 0;
  for (std::size_t i = 0; i < of_real.nearest.size(); ++i) covered += of_real.nearest[i] < real.own.kth[i];
  result.coverage = covered / n;
  result.two_sample = (nearest_is_own(real.own.nearest, of_real.nearest) +
                       nearest_is_own(generated.own.nearest, of_generated.nearest)) /
                      (n + m);
  return result;
}

}  // namespace apps::evaluation
