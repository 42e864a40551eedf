#pragma once

#include "engine/tape.h"

namespace engine {

enum class Transpose : bool { no, yes };

/// op(a) op(b) for matrices, where op transposes if asked: [M, K] x [K, N] -> [M, N]. Throws Error unless both have two
/// axes and the inner sizes agree.
Var matmul(const Var& a, const Var& b, Transpose transpose_a = Transpose::no, Transpose transpose_b = Transpose::no);

}  // namespace engine
