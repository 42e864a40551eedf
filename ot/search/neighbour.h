#pragma once

#include <cstdint>

namespace ot {

/// A point y_j, by its place in PointIndex::order(), with u_j = c(x, y_j) - psi_j - lambda log(J nu_j), what a
/// c-transform takes the (soft) minimum of.
struct Neighbour {
  std::int64_t place;
  double value;
};

/// What a search computed for a query: how well the bounds prune. All products of a block count as those values of
/// single points that take as long.
struct SearchWork {
  double groups = 0, values = 0;
  double rows = 0;  ///< of SoftminTerms
  /// In units of one value; measured.
  double cost() const { return values + 0.8 * groups + rows; }
  SearchWork& operator+=(const SearchWork& other) {
    groups += other.groups, values += other.values, rows += other.rows;
    return *this;
  }
  SearchWork operator/(double count) const { return {groups / count, values / count, rows / count}; }
};

}  // namespace ot
