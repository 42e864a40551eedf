#pragma once

#include "ot/c_transform.h"

namespace ot {

/// c_transform() by visiting every point of the target for every x, in tiles: what a faster way must agree with. The
/// arguments have been checked.
CTransform brute_c_transform(const Target& target, const engine::Tensor& x, const engine::Tensor& psi, double lambda,
                             Wanted wanted);

}  // namespace ot
