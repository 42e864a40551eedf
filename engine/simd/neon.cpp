// The kernels with NEON, which every 64-bit Arm CPU has.
#include "engine/simd/body.inl"

namespace engine::simd {

constinit const Kernels neon_kernels = table<xsimd::neon64>(Level::neon);

}  // namespace engine::simd
