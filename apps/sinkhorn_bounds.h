#pragma once

#include <functional>

#include "engine/tensor.h"
#include "ot/target.h"

namespace apps {

/// W_lambda(x, target) as Sinkhorn finds it: a value of the dual, which is below W, and one of the primal, above it.
/// For lambda = 0 the potential and the plan are those of a small lambda. Stops early, with looser bounds, when `go_on`
/// says no.
struct TransportBounds {
  double dual, primal;
};
TransportBounds sinkhorn_bounds(const ot::Target& target, const engine::Tensor& x, double lambda,
                                const std::function<bool()>& go_on);

}  // namespace apps
