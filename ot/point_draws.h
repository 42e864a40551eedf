#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/tensor.h"
#include "ot/bytes/byte_products.h"
#include "ot/target.h"

namespace ot {

/// For each x_i of a batch [B, d] a point of the target, drawn from the plan of psi [J] given x_i: point j with its
/// responsibility p_ij, for lambda > 0. It is where the running sum of the terms e^{-u_ij / lambda}, of all points in
/// their order, or in that of `blocks` of them, which are then multiplied in digits, passes uniforms[i] in [0, 1) of
/// their sum; terms are as exact as those of c-transforms. -1 where u is not finite for any point. Throws Error as
/// c_transform() does, for lambda = 0, and unless there is a uniform for each row.
std::vector<std::int64_t> draw_points(const Target& target, const engine::Tensor& x, const engine::Tensor& psi,
                                      double lambda, std::span<const double> uniforms, ByteBlocks* blocks = nullptr);

}  // namespace ot
