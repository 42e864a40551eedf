#pragma once

#include <string>
#include <vector>

namespace apps::report {

/// What an axis goes from and to, low < high.
struct Axis {
  double low, high;

  /// Where a value lies along it: 0 at the low end, 1 at the high one.
  double part(double value) const { return (value - low) / (high - low); }
};

/// An axis for finite values low <= high: around them where they are equal.
Axis axis_of(double low, double high);

/// The multiples of 1, 2 or 5 times a power of ten that lie on the axis: as many as can be, at most `most` >= 2.
std::vector<double> ticks(const Axis& axis, int most);

/// The least axis around this one that begins and ends at a tick and has at most `most` >= 3 of them.
Axis rounded(const Axis& axis, int most);

/// Ticks as they are written, with the decimals that tell them apart.
std::vector<std::string> tick_labels(const std::vector<double>& ticks);

}  // namespace apps::report
