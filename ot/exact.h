#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ot/cost_matrix.h"

namespace ot {

/// An optimal plan, (8) for lambda = 0, and potentials that prove it so: phi_i + psi_j <= c_ij everywhere, with
/// equality where mass flows, so that sum_i mu_i phi_i + sum_j nu_j psi_j is the value.
struct ExactTransport {
  double value = 0;              ///< sum of mass times cost
  std::vector<Flow> plan;        ///< positive masses, by source and then target; at most n + m - 1
  std::vector<double> phi, psi;  ///< [n], [m]
  int rounds = 0;                ///< of pricing
};

/// The most entries n m of a matrix of costs that exact_transport() takes.
inline constexpr std::int64_t most_exact_entries = 100'000'000;

/// Exact transport between any two small sets, by a network simplex (LEMON's) on a few arcs of each point: those whose
/// cost is least beside potentials from a few Sinkhorn iterations. The simplex's own potentials then price all arcs,
/// those that they show to be missing are added, until none is: the optimum over all arcs. Costs and masses are rounded
/// to 2^-40 of their range and are integers in the simplex, so that it neither cycles nor stalls; the potentials are
/// made feasible in double, and what rounding leaves is n + m times that.
///
/// Throws Error for weights that do not fit the costs, are negative, not finite or do not sum to 1 within 1e-6, and for
/// more than most_exact_entries entries. `go_on` is asked in each round; once it says no, an empty plan is returned.
ExactTransport exact_transport(CostMatrix costs, std::span<const double> mu, std::span<const double> nu,
                               const std::function<bool()>& go_on = {});

/// Exact transport on the line by sorting, for a cost h(|x - y|) with h convex: the plan is monotone, whatever h. Takes
/// any number of points. Throws Error for weights as above.
ExactTransport exact_transport_on_line(std::span<const double> x, std::span<const double> y, std::span<const double> mu,
                                       std::span<const double> nu, const std::function<double(double, double)>& cost);

}  // namespace ot
