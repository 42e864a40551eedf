#pragma once

#include <span>
#include <vector>

#include "ot/cost_matrix.h"

namespace ot {

/// What a potential psi on the target says of the transport from mu to nu: W_lambda (8) lies between dual and primal.
///
/// With phi the c-transform (11), p_ij = mu_i nu_j e^{(phi_i + psi_j - c_ij) / lambda}, for lambda = 0 mu_i on the
/// least of c_ij - psi_j, has the rows' marginal mu. It gets the columns' marginal nu by the rounding of Altschuler,
/// Weed and Rigollet (NIPS 2017, algorithm 2), which moves no more mass than the marginals differ by.
struct Duality {
  std::vector<double> phi;    ///< [n]
  double dual = 0;            ///< (14): sum_i mu_i phi_i + sum_j nu_j psi_j
  double transport_cost = 0;  ///< sum_ij p_ij c_ij of the rounded plan
  double primal = 0;          ///< transport_cost + lambda KL(p | mu x nu) of the rounded plan
  double marginal_error = 0;  ///< sum_j |q_j - nu_j| for the marginal q of the plan before its rounding
  double chi_squared = 0;     ///< sum_j (q_j - nu_j)^2 / nu_j, zero at the optimum of (14)

  double gap() const { return primal - dual; }
};

/// mu [n], nu [m], psi [m] (any value where nu_j = 0); lambda >= 0. In double throughout.
Duality duality(const CostMatrix& costs, std::span<const double> mu, std::span<const double> nu,
                std::span<const double> psi, double lambda);

/// Row i of the plan that psi gives, before its rounding: p_i1..p_im.
void plan_row(const double* costs, double mu, std::span<const double> nu, std::span<const double> psi, double lambda,
              std::span<double> row);

}  // namespace ot
