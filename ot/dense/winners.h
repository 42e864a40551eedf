#pragma once

#include "ot/target.h"
#include "ot/transformed.h"

namespace ot {

/// The c-transform for lambda = 0 once it is known which point attains each minimum, winners [B]: its value as
/// Target::cost() has it, its gradient (43) and its mass. A winner -1 stands for a row that has none.
CTransform transform_at(const Target& target, const engine::Tensor& x, const engine::Tensor& psi,
                        std::vector<std::int64_t> winners, Wanted wanted);

}  // namespace ot
