#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "apps/options.h"
#include "ot/target.h"

namespace apps {

/// The points of each class, by their indices.
using PointsOfClasses = std::vector<std::vector<std::int64_t>>;

/// What a conditional generator learns one by one.
struct Classes {
  std::vector<std::string> names;
  PointsOfClasses points;
};

/// The classes of a run's training points: with --labels by these labels, which are numbers of the names, otherwise by
/// --clusters; none without these options. Throws Error for a class of one point.
Classes classes_of_run(const TrainOptions& options, const ot::Target& training, std::span<const std::uint8_t> labels,
                       const std::vector<std::string>& names);

/// The weight that each class has in nu, of the weights [J] of all points.
std::vector<double> shares_of(std::span<const double> weights, const PointsOfClasses& classes);

}  // namespace apps
