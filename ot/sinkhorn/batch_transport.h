#pragma once

#include <cstdint>

#include "engine/tape.h"

namespace ot {

/// What is taken of the transport between two batches.
struct BatchPlan {
  double lambda = 0;          ///< 0: the plan is exact
  bool sharp = false;         ///< the value is the plan's mean cost <p, c>, in place of W_lambda (8)
  std::int64_t unrolled = 0;  ///< iterations of Sinkhorn's algorithm that gradients go through; 0: the plan is held
};

/// Transport between the uniform measures on n points and on m, given their costs [n, m] on the tape -> scalar. NaN
/// where a cost is not finite.
///
/// With the plan p held its gradient in the costs is p, which is that of W_lambda (the envelope theorem), of a sharp
/// value at lambda = 0 alone; the plan is that of exact_transport() or, to a marginal error of 1e-4, of sinkhorn(). It
/// can not be differentiated twice.
///
/// `unrolled` times u = -log mean_j e^{v_j - c_ij / lambda}, v = -log mean_i e^{u_i - c_ij / lambda}, from v = 0, are
/// ops on the tape (Genevay, Peyre and Cuturi, 2018), whose plan has the marginal of the m points; the value is
/// sum_ij p_ij c_ij or lambda (mean u + mean v). Throws Error where lambda is 0.
engine::Var batch_transport(const engine::Var& costs, const BatchPlan& plan);

}  // namespace ot
