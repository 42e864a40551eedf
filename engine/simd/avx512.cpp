// The kernels with AVX-512 (F, CD, DQ, BW, VL), and in float byte products by AVX2's vpmaddwd.

// GCC's own AVX-512 header initialises a register with itself (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include "engine/simd/body.inl"
#include "engine/simd/term512.inl"
#ifndef SEMIDUAL_DOUBLE
#include "engine/simd/words.inl"
#endif

namespace engine::simd {

#ifdef SEMIDUAL_DOUBLE
constinit const Kernels avx512_kernels = table<xsimd::avx512bw>(Level::avx512);
#else
constinit const Kernels avx512_kernels = with_byte_products(table<xsimd::avx512bw>(Level::avx512));
#endif

}  // namespace engine::simd
