#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "engine/random.h"
#include "engine/tensor.h"
#include "ot/ascent/dual_solver.h"
#include "ot/target.h"

namespace ot {

/// Batches of the source measure mu = sum_i mu_i delta_{x_i}: the k-th of B points is that at a random place of the
/// k-th of B equal parts of its distribution, in the order of the points. A batch as large as a uniform measure is the
/// measure.
class SourceSampler {
 public:
  /// For x [n, d] and mu [n], which sums to 1.
  SourceSampler(engine::Tensor x, std::span<const double> mu, std::uint64_t seed);

  /// Batch number `number`, [size, d]: a function of the seed, the number and the size.
  engine::Tensor batch(std::uint64_t number, std::int64_t size) const;

 private:
  engine::Tensor x_;
  std::vector<double> cumulative_;
  std::uint64_t seed_;
};

/// How good a potential is, from a sample of the source.
struct SemidualEstimate {
  double dual = 0, dual_error = 0;                ///< (14), and its standard error
  double chi_squared = 0, chi_squared_error = 0;  ///< sum_j (q_j - nu_j)^2 / nu_j for the plan's marginal q; 0 at best
};

/// The estimate from G = `groups` independent batches of one size, batch(0) to batch(G - 1). With m_g the mean
/// responsibilities of a batch, chi^2 is estimated by sum_j [(sum_g m_gj)^2 - sum_g m_gj^2] / nu_j / (G (G - 1)) - 1,
/// whose expectation is exactly chi^2; its standard error is the jackknife's. None where `go_on`, asked before each
/// batch, said no.
std::optional<SemidualEstimate> estimate_semidual(Transformer& transform, const engine::Tensor& psi, double lambda,
                                                  int groups, const std::function<engine::Tensor(int)>& batch,
                                                  const std::function<bool()>& go_on = {});

struct AscentOptions {
  DualOptimizer optimizer = DualOptimizer::adam;
  double lambda = 0;
  double first_lambda = 0;    ///< where lambda falls from; 0: it is `lambda` all along
  std::int64_t steps = 1500;  ///< in all
  std::int64_t batch = 200;   ///< source points in each
  double rate = 0;            ///< of the first stage; 0: by the mean cost
  double tolerance = 0;       ///< ends it after a stage: chi^2 is below it by its standard error at least; 0: never
};

/// What is known after a step.
struct AscentProgress {
  std::int64_t step;          ///< counted from 1; 0 within an estimate
  double lambda;              ///< in force
  SemidualEstimate estimate;  ///< at the end of the last stage
  int stages = 0;             ///< that are over
};
/// Called after each step and each batch of an estimate; false ends the ascent, and what has been reached is kept.
using AscentObserver = std::function<bool(const AscentProgress&)>;

struct AscentResult {
  std::int64_t steps = 0;
  bool converged = false;  ///< whether the tolerance was met
  SemidualEstimate estimate;
  /// How far below the best dual that of the last stage was, beyond twice the standard error: the potential is then
  /// the best, not the last.
  double lost = 0;
};

/// Stochastic ascent of the semi-dual (14) from the potential's present values, in ten stages of equal length. From one
/// to the next the rate falls, to a thirtieth in all for Adam and a hundredth for ASGD, or further where points are so
/// many that the nearest costs little beside the mean, and lambda falls, to a thousandth of its first value where it
/// ends at 0; each stage starts where the last one ended, for ASGD at the mean of its iterates (102). Steps can throw
/// the dual back: of the values at the start and after each stage, estimated from the same batches, the best stays,
/// also where it is ended in a later stage than the first. (Genans, Godichon-Baggioni, Vialard and Wintenberger,
/// "Decreasing entropic regularization averaged gradient for semi-discrete optimal transport", 2025, analyse such a
/// fall of lambda.) Throws Error as make_dual_solver() does, and for sizes below 1.
AscentResult ascend_semidual(Transformer& transform, const SourceSampler& source, Potential& potential,
                             AscentOptions options, const AscentObserver& observer = {});

}  // namespace ot
