// 8-bit points and digits of 8 bits, with AVX-512. Part of vnni.cpp and amx.cpp: xsimd can't express it.
#pragma once

#include <immintrin.h>

#include "engine/simd/kernels.h"
#include "engine/simd/transpose_words.inl"

namespace engine::simd {
namespace {

using Index = std::int64_t;

constexpr int vectors = block_size / lanes;
constexpr Digits digits_of_8_bits = {.bits = 8, .most = 3, .apart = 8, .together = 64, .multiple = 64};

template <class Real>
void store(Real* out, __m512 values) {
  if constexpr (sizeof(Real) == sizeof(float)) {
    _mm512_storeu_ps(out, values);
  } else {
    _mm512_storeu_pd(out, _mm512_cvtps_pd(_mm512_castps512_ps256(values)));
    _mm512_storeu_pd(out + lanes / 2, _mm512_cvtps_pd(_mm512_extractf32x8_ps(values, 1)));
  }
}

template <class Real>
__m512 load(const Real* x) {
  if constexpr (sizeof(Real) == sizeof(float))
    return _mm512_loadu_ps(x);
  else
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(_mm512_loadu_pd(x))),
                              _mm512_cvtpd_ps(_mm512_loadu_pd(x + lanes / 2)), 1);
}

// sum_i += four products of unsigned bytes a and signed bytes b, in each of 16 lanes i. GCC 12 moves every sum through
// memory around the intrinsic.
void add_products(__m512i& sum, __m512i a, __m512i b) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
}

// Calls put(v, four, word) for each group v of 16 points and each four of their coordinates, which products take at a
// time, padded with zeros: side by side. sums_l = sum_k point_lk.
template <class Put>
void interleave(Index n, const std::uint8_t* const* rows, const Put& put, real* sums) {
  constexpr Index step = 64;
  const __m512i ones = _mm512_set1_epi8(1);
  for (Index v = 0; v < vectors; ++v) {
    __m512i sum = _mm512_setzero_si512();
    for (Index k = 0; k < n; k += step) {
      const __mmask64 present = n - k < step ? (__mmask64{1} << (n - k)) - 1 : ~__mmask64{0};
      __m512i word[lanes];
      for (Index i = 0; i < lanes; ++i) word[i] = _mm512_maskz_loadu_epi8(present, rows[v * lanes + i] + k);
      transpose_words(word);
#pragma GCC unroll 16
      for (int w = 0; w < lanes; ++w) {
        put(v, k / 4 + w, word[w]);
        add_products(sum, word[w], ones);
      }
    }
    store(sums + v * lanes, _mm512_cvtepi32_ps(sum));
  }
}

// Turns the sums with each digit of a query, the first digit first, into what digit_products writes of 16 points.
template <int digits>
void write_products(const __m512i (&sum)[digits], real scale, real shift, real slope, const real* sums, real* out) {
  const __m512 base = _mm512_set1_ps(256);
  __m512 total = _mm512_cvtepi32_ps(sum[0]);
#pragma GCC unroll 4
  for (int s = 1; s < digits; ++s) total = _mm512_fmadd_ps(total, base, _mm512_cvtepi32_ps(sum[s]));
  const __m512 rest =
      _mm512_fmadd_ps(load(sums), _mm512_set1_ps(static_cast<float>(slope)), _mm512_set1_ps(static_cast<float>(shift)));
  store(out, _mm512_fmadd_ps(total, _mm512_set1_ps(static_cast<float>(scale)), rest));
}

}  // namespace
}  // namespace engine::simd
