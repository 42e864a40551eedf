#pragma once

#include <span>

#include "engine/tape.h"

namespace engine {

/// The same elements under another shape of equal size; shares memory. Throws Error where the sizes differ.
Var reshape(const Var& x, const Shape& shape);
/// Exchanges two axes; negative ones count from the innermost. Throws Error for an axis that x does not have.
Var transpose(const Var& x, int axis_a = -2, int axis_b = -1);
/// Elements begin..end-1 along an axis. Throws Error unless 0 <= begin <= end <= size.
Var slice(const Var& x, int axis, std::int64_t begin, std::int64_t end);
/// The parts one after the other along an axis. Throws Error for no parts, or where the other axes differ.
Var concat(std::span<const Var> parts, int axis);
inline Var concat(std::initializer_list<Var> parts, int axis) {
  return concat(std::span(parts.begin(), parts.size()), axis);
}
/// x with `before` and `after` zeros added along an axis: the adjoint of slice. Throws Error for negative counts.
Var pad(const Var& x, int axis, std::int64_t before, std::int64_t after);

}  // namespace engine
