#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "apps/paper/claims/row.h"
#include "ot/plan/cost_matrix.h"

namespace apps::claims {

/// m_lambda(t) of (9): lambda (e^{t / lambda} - 1); for lambda = 0 infinite where t is positive by more than rounding,
/// else 0.
double m(double lambda, double t);

/// (9), given m_lambda.
double dual_value(const ot::CostMatrix& costs, std::span<const double> mu, std::span<const double> nu,
                  std::span<const double> phi, std::span<const double> psi, const std::function<double(double)>& m);

/// Theorem 1, for random mu and nu, lambda = 0 and several lambda > 0: the plan and the potentials of the solvers have
/// the same value in (8) and (9), no other plan or potentials have a better one, and (10) makes one of the other. Each
/// row has the worst.
std::vector<Row> theorem_1(std::uint64_t seed);

}  // namespace apps::claims
