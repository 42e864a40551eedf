#pragma once

#include "ot/c_transform.h"
#include "ot/tiled_problem.h"

namespace ot {

/// The c-transform for lambda > 0 with all points, in two passes over terms that are computed once.
CTransform soft_c_transform(const TiledProblem& problem, double lambda, Wanted wanted);

}  // namespace ot
