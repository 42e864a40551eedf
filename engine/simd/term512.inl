// e^x with AVX-512, whose instructions round to whole numbers and multiply by powers of two. Part of avx512.cpp and
// vnni.cpp.
#pragma once

#include <immintrin.h>

#include "engine/simd/vectors.inl"

#ifndef SEMIDUAL_DOUBLE
namespace engine::simd {
namespace {

// 2^n 2^f for x log2 e = n + f, with |f| <= 1/2 and 2^f by a polynomial, within 1.6 2^-24 of it.
template <>
Batch<xsimd::avx512bw> term<xsimd::avx512bw>(Batch<xsimd::avx512bw> x) {
  const __m512 log2_e = _mm512_set1_ps(1.44269504f);
  // Terms that are left out anyway would lie below the normal numbers; above is infinity.
  const __m512 lowest = _mm512_set1_ps(-87), highest = _mm512_set1_ps(89);
  const __m512 inside = _mm512_min_ps(highest, _mm512_max_ps(lowest, x));
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(inside, log2_e), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 f = _mm512_fmsub_ps(inside, log2_e, n);
  __m512 power = _mm512_set1_ps(0.0013264739f);
  for (const float coefficient : {0.00967151672f, 0.0555073358f, 0.240222424f, 0.693147004f, 1.f})
    power = _mm512_fmadd_ps(power, f, _mm512_set1_ps(coefficient));
  const __m512 e = _mm512_scalef_ps(power, n);
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(e, _mm512_set1_ps(least_term), _CMP_NLT_UQ), e);
}

}  // namespace
}  // namespace engine::simd
#endif
