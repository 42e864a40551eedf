#pragma once

#include <string>

#include "ot/target.h"

namespace apps {

/// The cost that the words of --cost, --cost-power and --cost-scale name: sqeuclidean |x - y|^2, euclidean |x - y|,
/// cityblock (the l1 norm), as SciPy and POT call them, or power, |x - y|^power; times alpha (1 over its mean between 0
/// and the points), one or half. The power is 0 where it is not given. A new cost is a line here. Throws Error for
/// other words, a power below 1, not finite or missing, and one given to a cost that has none.
ot::Cost make_cost(const std::string& cost, double power, const std::string& scale);

}  // namespace apps
