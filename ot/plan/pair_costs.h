#pragma once

#include <memory>

#include "engine/tape.h"
#include "ot/ground_cost.h"
#include "ot/target.h"

namespace ot {

/// The costs scale k(x_i, y_j) between two batches of points, x [n, d] and y [m, d], -> [n, m], with their gradients in
/// both. k is symmetric, and null for ||x - y||^2, which is a product of the points around the mean of y, no less than
/// 0, and can be differentiated twice; others can once. NaN where a point is. Throws Error where dimensions differ.
engine::Var pair_costs(const engine::Var& x, const engine::Var& y, double scale,
                       const std::shared_ptr<const GroundCost>& ground);
/// By the cost of nu.
engine::Var pair_costs(const Target& nu, const engine::Var& x, const engine::Var& y);

}  // namespace ot
