#pragma once

#include <cmath>
#include <string>

namespace apps::claims {

/// One measurement of a claim of the paper.
struct Row {
  std::string claim = {};     ///< its number in the paper, and the case: `Theorem 5, lambda = 0.1`
  std::string measured = {};  ///< what the figure is
  double figure = 0;
  double bound = 0;  ///< what the figure may be at most, or at least
  enum class Side { at_most, at_least } side = Side::at_most;
  /// Where the figure contradicts the paper as it is printed: what holds instead.
  std::string instead = {};

  /// False for NaN too.
  bool within_bound() const { return side == Side::at_most ? figure <= bound : figure >= bound; }
};

/// Of two measurements that are to be at most something, the one with the larger figure, or NaN.
inline const Row& worse(const Row& a, const Row& b) {
  return std::isnan(b.figure) || b.figure > a.figure ? b : a;
}

}  // namespace apps::claims
