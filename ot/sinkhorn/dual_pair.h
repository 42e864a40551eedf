#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "ot/plan/cost_matrix.h"
#include "ot/sinkhorn/reduced_costs.h"

namespace ot {

/// What lambdas and the differences of a point's costs must be at most: times the logarithm of a weight they are real
/// numbers still.
inline constexpr double most_range = std::numeric_limits<real>::max() / 1000;

/// The potentials phi [n] and psi [m] that Sinkhorn's iteration moves in turn, each to the c-transform of the other or
/// beyond it.
///
/// Beyond it by a factor w: where the plan p_ij = mu_i nu_j e^{(phi_i + psi_j - c_ij) / lambda} has r times the mass
/// that a point should have, its potential falls by w lambda log r. That changes the dual (9) by lambda times this mass
/// times r - r^{1 - w} - w log r; where it is negative, which for w = 1 it never is, the potential goes just all the
/// way, so that the dual always grows (as in Thibault, Chizat, Dossal and Papadakis, Algorithms 14, 2021).
class DualPair {
 public:
  /// Starts at phi_i = min_j c_ij and psi = 0. Costs and weights must outlive it. Throws Error for costs that are not
  /// finite, and what the costs throw. Reduced costs are held where they take at most `most_held` bytes.
  DualPair(const CostMatrix& costs, std::span<const double> mu, std::span<const double> nu, double most_held);

  /// The largest difference of costs in a row.
  double range() const { return range_; }
  std::vector<double>& psi() { return psi_; }
  const std::vector<double>& phi() const { return phi_; }
  /// psi^{c,lambda} for the psi and lambda of the last move_phi().
  const std::vector<double>& softmin() const { return softmin_; }

  /// With marginals marginal_error() and move_psi() may follow.
  void move_phi(double lambda, double factor, bool with_marginals);
  void move_psi(double lambda, double factor);
  /// psi = softmin^{c,lambda} where nu has no mass, at which nothing has looked so far.
  void extend(double lambda);

  /// sum_j |q_j - nu_j| for the columns' marginal q of the plan that the psi of the last move_phi() and its softmin
  /// give.
  double marginal_error() const;
  /// (14): sum_i mu_i softmin_i + sum_j nu_j psi_j, before psi has moved on.
  double dual() const;

 private:
  struct Workspace;
  void move_rows(std::int64_t begin, std::int64_t end, double lambda, double factor, Workspace& space);
  void add_columns(std::int64_t begin, std::size_t rows, double lambda, Workspace& space) const;
  void sum_terms(const CostTile& rows, real rate, const real* shifts, real* terms, double* totals,
                 ReducedCosts::Buffers& buffers) const;
  real least(std::int64_t i, ReducedCosts::Buffers& buffers) const;
  void transform_columns(const std::vector<std::int64_t>& columns, std::span<const double> phi, double lambda);
  double column_softmin(std::int64_t j, std::span<const double> phi, double lambda) const;
  void measure_range();
  double drift() const;

  const CostMatrix& costs_;
  std::span<const double> mu_, nu_;
  std::int64_t n_, m_;
  ReducedCosts reduced_;
  std::vector<double> phi_, psi_, softmin_;
  std::vector<double> q_, moved_q_;  // the columns' marginals of the plans of psi with its softmin, and with phi
  std::vector<real> offsets_;        // [m]
  double range_ = 0;
  int drifted_ = 0;
};

}  // namespace ot
