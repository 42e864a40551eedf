#pragma once

#include <string>

#include "apps/console.h"
#include "apps/solve_options.h"

namespace apps {

/// What `semidual solve` was asked.
struct SolveRequest {
  SolveOptions options;
  std::string out;       ///< the folder for the results
  bool force = false;    ///< replace results that lie there
  bool verbose = false;  ///< tell after each stage of an ascent which ways c-transforms took
};

/// Solves the transport between two sets of points, prints what it came to, and keeps it in the folder: psi.npy [m],
/// value.npy [n] (phi, the c-transform of psi at each source point), at lambda = 0 assignment.npy [n], plan.npy where
/// rows are asked for, and result.json. Returns the exit code: 0, or 130 when it was interrupted, with what had been
/// reached kept; value.npy, assignment.npy and plan.npy are left out where they would have taken too long then. Throws
/// Error, before anything is written, for options, points and folders that won't do, and Failure once the solver has
/// begun.
int solve(const SolveRequest& request, const Console& console);

}  // namespace apps
