#pragma once

#include <cstdint>
#include <vector>

#include "ot/ascent/semidual_ascent.h"

namespace ot {

/// How the iterates that are averaged are made.
enum class AveragedMethod {
  adam,  ///< Adam
  asgd,  ///< steps along the gradient (101)
  drag   ///< these under a lambda that falls as lambda_0 / t^(1/2), of length rate / t^(2/3), psi held within the
         ///< largest cost: Genans, Godichon-Baggioni, Vialard and Wintenberger, "Decreasing entropic regularization
         ///< averaged gradient for semi-discrete optimal transport", 2025
};

struct AveragedOptions {
  AveragedMethod method = AveragedMethod::adam;
  double lambda = 0;
  double first_lambda = 0;  ///< DRAG's lambda_0; 0: by the costs' spread. Others ignore it
  std::int64_t steps = 10000;
  std::int64_t batch = 200;  ///< points of the first steps; later ones take up to eight times as many
  double rate = 0;           ///< of the first step; 0: by the costs' spread
  double tolerance = 0;      ///< ends it once chi^2 is below it by its standard error at least; 0: never
};

struct AveragedResult {
  std::vector<double> psi;  ///< the mean of the iterates; empty where the observer ended it before the first step
  SemidualEstimate estimate;
  std::int64_t steps = 0, samples = 0;  ///< samples: that steps were made from
  bool converged = false;               ///< whether the tolerance was met
};

/// Stochastic ascent of the semi-dual (14) from the potential's present values for a source of which there are always
/// fresh points: psi is the mean of the iterates, each weighed by the square of the number of points drawn before it,
/// so that the start is forgotten. At best its chi^2 is J over the number of points (Polyak and Juditsky, 1992).
///
/// From time to time H and chi^2 are estimated for the last iterate and for the mean. Where the last is much worse than
/// the mean, or neither its H nor its chi^2 get better, steps are too long: Adam's and ASGD's rate is halved then.
/// Throws Error as make_dual_solver() and require_steps() do, and for a source of another dimension.
AveragedResult ascend_averaged(Transformer& transform, const Source& source, Potential& potential,
                               AveragedOptions options, const AscentObserver& observer = {});

}  // namespace ot
