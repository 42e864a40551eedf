// The kernels with AVX2 and FMA, and in float byte products by vpmaddwd.
#include "engine/simd/body.inl"
#ifndef SEMIDUAL_DOUBLE
#include "engine/simd/words.inl"
#endif

namespace engine::simd {

#ifdef SEMIDUAL_DOUBLE
constinit const Kernels avx2_kernels = table<xsimd::fma3<xsimd::avx2>>(Level::avx2);
#else
constinit const Kernels avx2_kernels = with_byte_products(table<xsimd::fma3<xsimd::avx2>>(Level::avx2));
#endif

}  // namespace engine::simd
