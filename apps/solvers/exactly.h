#pragma once

#include "apps/solvers/patience.h"
#include "apps/solvers/problem.h"

namespace apps {

/// By sorting on the line, elsewhere by a network simplex. Without psi where it was told to end; throws Ended in the
/// same case.
TransportSolution solve_exactly(const TransportProblem& problem, const Patience& patience);

}  // namespace apps
