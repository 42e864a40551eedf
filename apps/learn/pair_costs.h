#pragma once

#include "engine/tape.h"
#include "ot/target.h"

namespace apps {

/// c(x_i, y_j) for x [B, d] and y [M, d], by the cost of `nu`, -> [B, M]. NaN where a point is.
engine::Tensor pair_costs(const ot::Target& nu, const engine::Tensor& x, const engine::Tensor& y);

/// sum_ij pi_ij c(x_i, y_j) for a plan pi [B, M] that is held fixed -> scalar, with its gradient in x and, as the costs
/// are symmetric, in y. Throws `[plan_cost] can not be differentiated twice`.
engine::Var plan_cost(const ot::Target& nu, const engine::Var& x, const engine::Var& y, const engine::Tensor& pi);

}  // namespace apps
