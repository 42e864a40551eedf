#pragma once

#include <initializer_list>

#include "engine/tape.h"

namespace engine {

// Axes may be negative: they then count from the innermost, -1. Reduced axes are dropped unless `keep` is set, which
// leaves them with size 1. All throw Error `[op] axis must be in ...` for an axis that x does not have, or has twice.

Var sum(const Var& x);                                                       ///< over all elements, a scalar
Var sum(const Var& x, std::initializer_list<int> axes, bool keep = false);   ///< over the axes
Var mean(const Var& x);                                                      ///< over all elements, a scalar
Var mean(const Var& x, std::initializer_list<int> axes, bool keep = false);  ///< over the axes
/// The largest (smallest) along an axis. The gradient goes to the first of equal elements. Throws Error on an empty
/// axis.
Var max(const Var& x, int axis, bool keep = false);
Var min(const Var& x, int axis, bool keep = false);
/// ln sum e^x along an axis, shifted by the maximum so that it overflows for no finite x; -inf where all are -inf.
Var logsumexp(const Var& x, int axis, bool keep = false);

/// x summed over the axes that broadcasting had repeated, so that it has `shape`: the adjoint of broadcast_to.
/// Throws Error unless `shape` broadcasts to x's.
Var sum_to(const Var& x, const Shape& shape);

}  // namespace engine
