#pragma once

#include "engine/simd/bf16.h"
#include "engine/simd/kernels.h"

namespace engine::simd {

// One table for each level, each in the file of its name, the only file compiled with that level's instructions. Look
// at one only where the CPU has the level: dispatch.cpp does.
#if defined(__x86_64__)
extern const Kernels baseline_kernels;
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
extern const Kernels vnni_kernels;             ///< not in double, in which they would have nothing that avx512 lacks
extern const Bf16Kernels avx512_bf16_kernels;  ///< not in double
#elif defined(__aarch64__)
extern const Kernels neon_kernels;
#else
#error "kernels exist for x86-64 and 64-bit Arm: add a level in engine/simd for this CPU"
#endif

/// The kernels of the highest level that this build and CPU have, at most the level named by `highest` (any when null;
/// the lowest there is when none is that low). Throws Error for another name.
const Kernels& kernels_up_to(const char* highest);

}  // namespace engine::simd
