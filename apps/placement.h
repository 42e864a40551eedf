#pragma once

#include <span>

#include "data/dataset.h"
#include "ot/target.h"

namespace apps {

/// Where points lie for the solvers, and what costs there stand for.
struct Placement {
  ot::Cost cost;      ///< between the points as they lie now, in units of `unit`
  double unit = 1;    ///< a power of two, 1 unless costs are too large or small for real
  double digits = 0;  ///< that real keeps of the distance of a typical x to the nearest y
};

/// Brings two sets of points of one dimension to where real holds them well: shifts both by the same vector, the median
/// of their coordinates, and scales both by the same power of two, which changes no cost but for a factor, if `cost`
/// has a degree. The values are then the doubles so shifted and scaled, rounded to real; the doubles are scaled alone,
/// which is exact. The alpha of the cost's scale stays that of the points as given, of weights nu. A set of bytes stays
/// as it is, and so then does the other. Throws Error where alpha, or the cost, is 0 or not finite.
Placement place(data::Dataset& source, data::Dataset& target, std::span<const double> nu, const ot::Cost& cost);

}  // namespace apps
