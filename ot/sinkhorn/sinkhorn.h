#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ot/plan/cost_matrix.h"
#include "ot/plan/duality.h"

namespace ot {

struct SinkhornOptions {
  double lambda = 0;                ///< positive
  std::int64_t iterations = 10000;  ///< at most, over all lambdas
  double tolerance = 1e-6;          ///< ends it: on the marginal error, sum_j |q_j - nu_j|
  double scaling = 0.5;  ///< lambda falls by this factor from the largest difference of a point's costs; 1: not at all
  /// Costs less potentials, in real, are held where they take at most so many bytes, otherwise computed anew in each
  /// iteration.
  double most_held = 4e9;
};

/// What an iteration has come to.
struct SinkhornProgress {
  std::int64_t iteration;            ///< counted from 1
  double lambda;                     ///< in force
  double dual;                       ///< (14) at that lambda
  double marginal_error;             ///< at most
  std::span<const double> psi, phi;  ///< [m], and its c-transform [n]
};
/// Called after each iteration; false ends the iterations, and what has been reached is returned.
using SinkhornObserver = std::function<bool(const SinkhornProgress&)>;

struct SinkhornResult {
  std::vector<double> psi;  ///< [m]; phi^{c,lambda} where nu_j = 0
  Duality duality;          ///< of psi, with phi; computed in double
  std::int64_t iterations = 0;
  bool converged = false;  ///< whether the tolerance was met
  bool stalled = false;    ///< whether it ended since rounding no longer let the marginal error fall
  double marginal_error = 0;
};

/// Entropic transport (8) between mu = sum_i mu_i delta_{x_i} and nu = sum_j nu_j delta_{y_j}: alternates the two
/// c-transforms (13), both with the weights inside, in the log domain, so that no lambda overflows, and goes beyond
/// each by a factor that is learned on the way (DualPair).
///
/// An iteration goes through the matrix once and takes one exponential for each entry: e_ij = e^{(psi_j - c_ij) /
/// lambda} up to a factor, whose sum over j gives phi_i; mu_i nu_j e_ij by phi_i is the plan, whose column sums q give
/// psi_j <- psi_j - lambda log(q_j / nu_j). What is held, or computed tile by tile, is c_ij - phi_i - psi_j for
/// potentials of a few iterations ago, rounded to real (ReducedCosts). Beside it there are 128 reals for each column.
/// The bits do not depend on the number of threads.
///
/// It ends where the marginal error has found no new low for a hundred iterations and is as small as rounding may leave
/// it. `plan` is shown the rows of the plan of the last psi, made to have both marginals.
///
/// Throws Error for weights that do not fit the costs, are negative, not finite or do not sum to 1 within 1e-6, and for
/// options out of their range; and what the costs throw.
SinkhornResult sinkhorn(const CostMatrix& costs, std::span<const double> mu, std::span<const double> nu,
                        const SinkhornOptions& options, const SinkhornObserver& observer = {},
                        const PlanObserver& plan = {});

/// The same for a measure and itself, W_lambda(mu, mu) (74), for symmetric costs: chi <- (chi + softmin(chi)) / 2
/// (Feydy et al., AISTATS 2019, section 3.1), which converges in a few iterations. `psi` of the result is chi_*.
SinkhornResult symmetric_sinkhorn(const CostMatrix& costs, std::span<const double> mu, const SinkhornOptions& options,
                                  const SinkhornObserver& observer = {});

}  // namespace ot
