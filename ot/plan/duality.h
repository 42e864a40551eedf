#pragma once

#include <functional>
#include <span>
#include <vector>

#include "ot/plan/cost_matrix.h"

namespace ot {

/// What a potential psi on the target says of the transport from mu to nu: W_lambda (8) lies between dual and primal.
///
/// With phi the c-transform (11), p_ij = mu_i nu_j e^{(phi_i + psi_j - c_ij) / lambda}, for lambda = 0 mu_i on the
/// least of c_ij - psi_j, has the rows' marginal mu. To have the columns' marginal nu, columns with too much mass keep
/// the same part of each of their entries, and what is left over goes where there is room. From proportional shares of
/// both this is the rounding of Altschuler, Weed and Rigollet (NIPS 2017, algorithm 2).
struct Duality {
  std::vector<double> phi;    ///< [n]
  double dual = 0;            ///< (14): sum_i mu_i phi_i + sum_j nu_j psi_j
  double transport_cost = 0;  ///< sum_ij p_ij c_ij of the plan made so
  double primal = 0;          ///< transport_cost + lambda KL(p | mu x nu) of the plan made so
  double marginal_error = 0;  ///< sum_j |q_j - nu_j| for the marginal q of the plan before
  double chi_squared = 0;     ///< sum_j (q_j - nu_j)^2 / nu_j; 0 at the optimum, at lambda = 0 if no mass splits

  double gap() const { return primal - dual; }
};

/// Where the mass that each source point has left goes, by source, given the room that each target point has; both sum
/// to the same. Without flows it goes everywhere in proportion to the room.
using Completion = std::function<std::vector<Flow>(std::span<const double> left, std::span<const double> room)>;

/// Shown row i of the plan made so, p_i1..p_im, by several threads at a time.
using PlanObserver = std::function<void(std::int64_t i, std::span<const double> row)>;

/// mu [n], nu [m], psi [m] (any value where nu_j = 0); lambda >= 0. In double throughout.
Duality duality(const CostMatrix& costs, std::span<const double> mu, std::span<const double> nu,
                std::span<const double> psi, double lambda, const Completion& completion = {},
                const PlanObserver& observer = {});

/// Row i of the plan that psi gives, before its completion: p_i1..p_im.
void plan_row(const double* costs, double mu, std::span<const double> nu, std::span<const double> psi, double lambda,
              std::span<double> row);

}  // namespace ot
