// The kernels with SSE2, which every x86-64 CPU has.
#include "engine/simd/body.inl"

namespace engine::simd {

constinit const Kernels baseline_kernels = table<xsimd::sse2>(Level::baseline);

}  // namespace engine::simd
