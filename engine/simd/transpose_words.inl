// Part of the kernel files for AVX-512.
#pragma once

#include <immintrin.h>

namespace engine::simd {
namespace {

/// The 32-bit words of a vector.
constexpr int lanes = 16;

// Transposes 16 rows of 16 words of 32 bits.
void transpose_words(__m512i (&row)[lanes]) {
  __m512i pair[lanes];
  for (int i = 0; i < lanes; i += 2) {
    pair[i] = _mm512_unpacklo_epi32(row[i], row[i + 1]);
    pair[i + 1] = _mm512_unpackhi_epi32(row[i], row[i + 1]);
  }
  for (int i = 0; i < lanes; i += 4)
    for (int k = 0; k < 2; ++k) {
      row[i + 2 * k] = _mm512_unpacklo_epi64(pair[i + k], pair[i + k + 2]);
      row[i + 2 * k + 1] = _mm512_unpackhi_epi64(pair[i + k], pair[i + k + 2]);
    }
  for (int half = 0; half < lanes; half += 8)
    for (int k = 0; k < 4; ++k) {
      pair[half + k] = _mm512_shuffle_i32x4(row[half + k], row[half + k + 4], 0x88);
      pair[half + k + 4] = _mm512_shuffle_i32x4(row[half + k], row[half + k + 4], 0xdd);
    }
  for (int k = 0; k < 8; ++k) {
    row[k] = _mm512_shuffle_i32x4(pair[k], pair[k + 8], 0x88);
    row[k + 8] = _mm512_shuffle_i32x4(pair[k], pair[k + 8], 0xdd);
  }
}

}  // namespace
}  // namespace engine::simd
