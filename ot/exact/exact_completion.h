#pragma once

#include "ot/exact/exact.h"
#include "ot/plan/cost_matrix.h"
#include "ot/plan/duality.h"

namespace ot {

/// The completion of a plan by exact transport of what is left to where there is room: the tightest upper bound that a
/// plan's kept part allows at lambda = 0. Once the observer says no, it has no flows. The costs, at most
/// most_exact_entries of them, must outlive it.
Completion exact_completion(const CostMatrix& costs, const ExactObserver& observer = {});

}  // namespace ot
