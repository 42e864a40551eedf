// The kernels with AVX2 and FMA.
#include "engine/simd/body.inl"

namespace engine::simd {

constinit const Kernels avx2_kernels = table<xsimd::fma3<xsimd::avx2>>(Level::avx2);

}  // namespace engine::simd
