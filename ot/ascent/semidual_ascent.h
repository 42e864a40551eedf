#pragma once

#include <cstdint>
#include <functional>

#include "ot/ascent/dual_solver.h"
#include "ot/ascent/semidual_estimate.h"
#include "ot/ascent/source.h"

namespace ot {

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
  std::int64_t samples = 0;   ///< points that steps were made from, where ascend_averaged() tells
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
/// fall of lambda.) Throws Error as make_dual_solver() and require_steps() do.
AscentResult ascend_semidual(Transformer& transform, const Source& source, Potential& potential, AscentOptions options,
                             const AscentObserver& observer = {});

}  // namespace ot
