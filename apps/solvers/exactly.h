#pragma once

#include "apps/solvers/patience.h"
#include "apps/solvers/problem.h"

namespace apps {

/// By sorting on the line, elsewhere by a network simplex. Told to end, it throws Ended or returns no psi.
TransportSolution solve_exactly(const TransportProblem& problem, const Patience& patience);

}  // namespace apps
