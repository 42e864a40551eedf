#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/solve_options.h"
#include "engine/tensor.h"
#include "ot/ascent/source.h"
#include "ot/plan/cost_matrix.h"
#include "ot/plan/duality.h"
#include "ot/target.h"

namespace apps {

/// Transport to a target from mu = sum_i mu_i delta_{x_i}, or from a law, of which there are neither x nor mu.
struct TransportProblem {
  engine::Tensor x{};        ///< [n, d]
  std::vector<double> mu{};  ///< [n], sum 1
  const ot::Source* law = nullptr;
  const ot::Target& target;
  ot::PrecisePoints from{}, to{};  ///< x and the target's points, for what is computed in double
  double unit = 1;                 ///< what a cost of 1 to the target stands for
  RowRange rows{};                 ///< of the plan that are wanted

  std::int64_t sources() const { return law ? 0 : x.dim(0); }
  bool on_line() const { return target.dimension() == 1; }
  double entries() const { return static_cast<double>(sources()) * static_cast<double>(target.size()); }
};

/// What a solver came to.
struct TransportSolution {
  std::vector<double> psi, phi;          ///< [m], and its c-transform [n]
  std::vector<std::int64_t> assignment;  ///< at lambda = 0: where most of each source point's mass goes, [n]
  std::vector<double> plan_rows;         ///< those that were wanted, [rows, m]
  double dual = 0;                       ///< (14)
  std::optional<double> standard_error;  ///< of the dual, if the source points are a sample of two or more
  std::optional<double>
      chi_squared;  ///< sum_j (q_j - nu_j)^2 / nu_j for the marginal q of the plan of psi; none if told to end
  double chi_squared_error = 0;  ///< its standard error where it is estimated: for too many points
  std::optional<double> transport_cost, primal, marginal_error;  ///< of the plan; none for too many points
  std::optional<double> divergence;
  std::vector<std::string> remarks;  ///< what whoever asked should know, a line each
  std::int64_t iterations = 0;
  std::int64_t samples = 0;  ///< points that were drawn for steps from a law; 0 from points
  bool converged = false;
};

/// How far a solver is: by the iterations done and the dual value, or in words, with psi once it is found.
struct SolverProgress {
  std::int64_t iterations = 0;
  double dual = 0;
  std::string words = {};
  std::string detail = {};  ///< a line for those who ask for more
  std::vector<double> psi = {};
};

/// False ends the solver, with what it has reached. Without iterations, words and detail it is just asked, by several
/// threads at a time.
using SolverObserver = std::function<bool(const SolverProgress&)>;

/// sum_k weights_k values_k over the points that weigh something.
double expectation(std::span<const double> weights, std::span<const double> values);

/// Takes the rows of the plan that are wanted as they come.
ot::PlanObserver keep_rows(const TransportProblem& problem, TransportSolution& solution);

/// Takes what a potential says of the transport.
void take(TransportSolution& solution, ot::Duality duality);

}  // namespace apps
