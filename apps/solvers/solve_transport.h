#pragma once

#include "apps/solvers/problem.h"

namespace apps {

/// Throws Error unless the solver can take so many points: the exact one's limit, and the memory of this machine.
void require_solvable(const TransportProblem& problem, const SolveOptions& options);

/// Solves the problem by options.solver; all but the problem is in units of the costs as they were given. Once the
/// observer said no, it takes about half a second at most for what makes a result whole, and leaves out what would take
/// longer: the primal value, phi. Without psi it was ended before there was anything.
TransportSolution solve_transport(const TransportProblem& problem, const SolveOptions& options,
                                  const SolverObserver& observer);

}  // namespace apps
