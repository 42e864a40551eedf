// The kernels with AVX-512 (F, CD, DQ, BW, VL).

// GCC's own AVX-512 header initialises a register with itself (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include "engine/simd/body.inl"

namespace engine::simd {

constinit const Kernels avx512_kernels = table<xsimd::avx512bw>(Level::avx512);

}  // namespace engine::simd
