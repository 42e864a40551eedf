#pragma once

#include "apps/solvers/patience.h"
#include "apps/solvers/problem.h"

namespace apps {

/// Up to so many entries of the cost matrix, the plan of a potential is gone through for the primal value.
inline constexpr double most_primal_entries = 4e7;

/// By stochastic ascent of the semi-dual, Adam or averaged SGD. What would take long after it was told to end is left
/// out.
TransportSolution solve_by_ascent(const TransportProblem& problem, const SolveOptions& options,
                                  const SolverObserver& observer, const Patience& patience);

}  // namespace apps
