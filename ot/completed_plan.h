#pragma once

#include <span>

#include "ot/cost_matrix.h"

namespace ot {

/// The cost of a plan made from a potential for lambda = 0, an upper bound of W_0(mu, nu): each x_i sends its mass to
/// the least of c_ij - psi_j, the lowest j of equals, as far as all of such mass fits into nu_j (where it does not, all
/// give up the same share), and what is left over goes by exact transport to where there is room, in proportion where
/// that would be too large a problem.
double completed_plan_cost(const CostMatrix& costs, std::span<const double> mu, std::span<const double> nu,
                           std::span<const double> psi);

}  // namespace ot
