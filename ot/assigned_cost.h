#pragma once

#include <cstdint>
#include <span>

#include "engine/tape.h"
#include "ot/target.h"

namespace ot {

/// (1/B) sum_i c(x_i, y_{j_i}) for points j_i of the target that are given, x [B, d] -> scalar, with its gradient in x.
/// NaN where a j_i is negative, which stands for a row that has none. Throws Error for an x that does not fit, and
/// `[assigned_cost] can not be differentiated twice`.
engine::Var assigned_cost(const Target& target, const engine::Var& x, std::span<const std::int64_t> points);

}  // namespace ot
