#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/tensor.h"
#include "ot/target.h"

namespace apps::evaluation {

/// The training point next to each of some points.
struct NearestTraining {
  std::vector<std::int64_t> points;       ///< their indices, the lowest of equally near ones
  std::vector<double> squared_distances;  ///< to them, by differences in double
};

/// For the rows of x [n, d], among the points of `training`, whose cost must be ||x - y||^2 at any scale, but those
/// numbered `without`.
NearestTraining nearest_training(const ot::Target& training, const engine::Tensor& x,
                                 std::span<const std::int64_t> without = {});

/// Z = (U - (mn/2 - 1/2)) / sqrt(mn (m + n + 1) / 12), where U, the statistic of Mann and Whitney, counts the pairs of
/// m generated and n held-out points of which the generated one is farther from its nearest training point; ties count
/// half. Standard normal for equal laws and many points, far below 0 for copies of training points (Meehan, Chaudhuri
/// and Dasgupta, "A non-parametric test to detect data-copying in generative models", AISTATS 2020).
double copying_statistic(std::span<const double> generated, std::span<const double> held_out);

/// How many of the points are different ones, over their number.
double share_of_distinct(std::span<const std::int64_t> points);

}  // namespace apps::evaluation
