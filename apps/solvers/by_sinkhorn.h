#pragma once

#include "apps/solvers/patience.h"
#include "apps/solvers/problem.h"

namespace apps {

/// By Sinkhorn's iterations, and with --divergence those of each side to itself. Throws Ended where it was told to end
/// before it had a potential.
TransportSolution solve_by_sinkhorn(const TransportProblem& problem, const SolveOptions& options,
                                    const SolverObserver& observer, const Patience& patience);

}  // namespace apps
