#pragma once

#include "ot/target.h"
#include "ot/transformed.h"

namespace ot {

/// c_transform() to a target with a ground cost, by visiting every point for every x, in tiles. The arguments have been
/// checked.
CTransform general_c_transform(const Target& target, const engine::Tensor& x, const engine::Tensor& psi, double lambda,
                               Wanted wanted);

}  // namespace ot
