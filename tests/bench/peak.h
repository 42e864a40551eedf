#pragma once

#include <cstdint>

#include "engine/simd/kernels.h"

namespace bench {

/// Billions of float32 operations a second that `threads` threads do in fused multiply-adds (2 operations each; a
/// multiplication and an addition at the baseline, which has none) on registers alone: no product can be faster. The
/// CPU must have the level.
double peak_gflops(engine::simd::Level level, int threads);

}  // namespace bench
