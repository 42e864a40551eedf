#pragma once

#include <cstdint>

#include "engine/simd/kernels.h"

namespace bench {

/// Billions of operations a second that `threads` threads do in multiply-adds (2 operations each) on registers alone:
/// no product can be faster. They are fused multiply-adds of float32 (a multiplication and an addition at the baseline,
/// which has none), at the level vnni of bytes. The CPU must have the level.
double peak_gops(engine::simd::Level level, int threads);

}  // namespace bench
