#include "apps/learn/classes.h"

#include <algorithm>
#include <numeric>

#include "engine/error.h"
#include "ot/clusters.h"

namespace apps {

namespace {

PointsOfClasses points_of_classes(std::span<const std::uint8_t> labels, std::size_t classes) {
  PointsOfClasses points(classes);
  for (std::size_t j = 0; j < labels.size(); ++j) points.at(labels[j]).push_back(static_cast<std::int64_t>(j));
  return points;
}

}  // namespace

Classes classes_of_run(const TrainOptions& options, const ot::Target& training, std::span<const std::uint8_t> labels,
                       const std::vector<std::string>& names) {
  Classes classes;
  if (!options.labels.empty()) {
    classes = {names, points_of_classes(labels, names.size())};
  } else if (options.clusters > 0) {
    const std::vector<std::uint8_t> clusters = ot::clusters(ot::PointIndex(training), options.clusters);
    const std::size_t found = std::size_t{1} + std::ranges::max(clusters);
    for (std::size_t c = 0; c < found; ++c) classes.names.push_back(std::to_string(c));
    classes.points = points_of_classes(clusters, found);
  }
  for (std::size_t c = 0; c < classes.points.size(); ++c)
    engine::require(classes.points[c].size() != 1, "--labels ", options.labels, ": class '", classes.names[c],
                    "' has a single point: a class needs at least 2, or none; leave that point out");
  return classes;
}

std::vector<double> shares_of(std::span<const double> weights, const PointsOfClasses& classes) {
  std::vector<double> shares;
  for (const std::vector<std::int64_t>& points : classes) {
    double& share = shares.emplace_back(0);
    for (const std::int64_t j : points) share += weights[static_cast<std::size_t>(j)];
  }
  const double all = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= all;
  return shares;
}

}  // namespace apps
