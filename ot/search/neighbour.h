#pragma once

#include <cstdint>

namespace ot {

/// A point y_j, by its place in PointIndex::order(), with u_j = c(x, y_j) - psi_j - lambda log(J nu_j), what a
/// c-transform takes the (soft) minimum of.
struct Neighbour {
  std::int64_t place;
  double value;
};

}  // namespace ot
