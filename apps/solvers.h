#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "apps/solve_options.h"
#include "engine/tensor.h"
#include "ot/exact.h"
#include "ot/target.h"

namespace apps {

/// Transport from mu = sum_i mu_i delta_{x_i} to a target.
struct TransportProblem {
  engine::Tensor x;        ///< [n, d]
  std::vector<double> mu;  ///< [n], sum 1
  const ot::Target& target;

  std::int64_t sources() const { return x.dim(0); }
  double entries() const { return static_cast<double>(sources()) * static_cast<double>(target.size()); }
};

/// What a solver came to.
struct TransportSolution {
  std::vector<double> psi, phi;          ///< [m], and its c-transform [n]
  std::vector<std::int64_t> assignment;  ///< at lambda = 0: where most of each source point's mass goes, [n]
  std::vector<ot::Flow> plan;            ///< of the exact solver
  double dual = 0;                       ///< (14)
  double standard_error = 0;             ///< of the dual, if the source points are a sample
  double chi_squared = 0;                ///< sum_j (q_j - nu_j)^2 / nu_j for the marginal q of the plan of psi
  double chi_squared_error = 0;          ///< its standard error where it is estimated: for too many points
  std::optional<double> transport_cost, primal, marginal_error;  ///< of the plan; none for too many points
  std::optional<double> divergence;
  std::int64_t iterations = 0;
  bool converged = false;
};

/// Told the iterations done (0: none in the count) and the dual value; false ends the solver, with what it has reached.
using SolverObserver = std::function<bool(std::int64_t, double)>;

/// Throws Error unless the solver can take so many points: the exact one's limit, and the memory of this machine.
void require_solvable(const TransportProblem& problem, const SolveOptions& options);

/// Solves the problem by options.solver. Empty potentials: it was ended before there was anything.
TransportSolution solve_transport(const TransportProblem& problem, const SolveOptions& options,
                                  const SolverObserver& observer);

}  // namespace apps
