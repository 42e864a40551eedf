#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/tensor.h"

namespace apps::evaluation {

/// Squared distances from each point of a set to its nearest other point and to its k-th nearest.
struct OwnNeighbours {
  std::vector<double> nearest, kth;
};

/// Of the rows of x [n, d]. As exact as sums of squared differences in double, which decide wherever products of
/// matrices leave a doubt. The bits do not depend on the number of threads. Throws Error unless 1 <= k < n.
OwnNeighbours own_neighbours(const engine::Tensor& x, int k);

/// How points lie to another set.
struct OtherNeighbours {
  std::vector<double> nearest;      ///< squared distance to the nearest of the set
  std::vector<std::int64_t> balls;  ///< in how many of the balls around its points each lies
};

/// Of the rows of x [n, d] to those of y [m, d], around each of which is an open ball, ||x_i - y_j||^2 <
/// squared_radii[j]. As exact as own_neighbours(). Throws Error for sizes that do not fit.
OtherNeighbours other_neighbours(const engine::Tensor& x, const engine::Tensor& y,
                                 std::span<const double> squared_radii);

}  // namespace apps::evaluation
