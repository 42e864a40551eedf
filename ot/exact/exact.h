#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ot/plan/cost_matrix.h"

namespace ot {

/// An optimal plan, (8) for lambda = 0, and potentials that prove it so: phi_i + psi_j <= c_ij everywhere, with
/// equality where mass flows, so that sum_i mu_i phi_i + sum_j nu_j psi_j is the value.
struct ExactTransport {
  double value = 0;              ///< sum of mass times cost
  double gap = 0;                ///< sum of mass times c - phi - psi: what rounding to double leaves, above the dual
  std::vector<Flow> plan;        ///< positive masses, by source and then target; at most n + m - 1
  std::vector<double> phi, psi;  ///< [n], [m]
  int rounds = 0;                ///< of pricing

  /// Whether the potentials prove the plan optimal to nine digits.
  bool proven() const { return gap <= 1e-9 * std::abs(value); }
};

/// How far exact_transport() is. When all mass is placed the plan is feasible; rounds make it cheaper until none can.
struct ExactProgress {
  int rounds = 0;       ///< of pricing that are done
  double unplaced = 1;  ///< the share of the mass that has no way yet
};

/// Asked each few milliseconds whether to go on.
using ExactObserver = std::function<bool(const ExactProgress&)>;

/// The most entries n m of a matrix of costs that exact_transport() takes.
inline constexpr std::int64_t most_exact_entries = 100'000'000;

/// Exact transport between any two small sets, by a network simplex on a few arcs of each point: those whose cost is
/// least beside simple potentials. The simplex's own potentials then price all arcs, those that they show to be missing
/// are added, until none is: the optimum over all arcs. Costs are integers there, rounded to 2^-92 of the largest, and
/// so are masses, rounded to 2^-91 unless points weigh the same: what is compared is exact, however far costs are
/// apart. The plan leaves out flows below the last digit of the whole mass that only balance what rounding left of the
/// weights' sums.
///
/// Of all potentials that prove the plan, those are given that are closest to 0 in this sense: -phi and psi are the
/// lengths of the shortest ways to a point from any, the cost counted forth and, where mass flows, back. Points that
/// weigh nothing take no part; their phi is the c-transform of psi on the support, their psi that of phi.
///
/// Throws Error for weights that do not fit the costs, are negative, not finite or do not sum to 1 within 1e-6, for
/// costs that are not finite, and for more than most_exact_entries entries. Once the observer says no, an empty
/// plan is returned.
ExactTransport exact_transport(CostMatrix costs, std::span<const double> mu, std::span<const double> nu,
                               const ExactObserver& observer = {});

/// Exact transport on the line by sorting, for a cost h(|x - y|) with h convex: the plan is monotone, whatever h. Takes
/// any number of points. Throws Error for weights and costs as above.
ExactTransport exact_transport_on_line(std::span<const double> x, std::span<const double> y, std::span<const double> mu,
                                       std::span<const double> nu, const std::function<double(double, double)>& cost);

}  // namespace ot
