// Weighted sums of 8-bit points by AMX's tiles, which multiply bfloat16 numbers. Part of amx.cpp.
//
// A byte is such a number, and a float the sum of three: products are exact, and their sums are rounded to float.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstdint>

#include "engine/simd/kernels.h"
#include "engine/simd/tiles.inl"
#include "engine/simd/transpose_words.inl"

namespace engine::simd {
namespace {

// A step multiplies 32 points. Weights are in thirds, bytes by pairs of points.
constexpr Index points_in_step = 2 * lanes, steps_in_block = block_size / points_in_step, thirds = 3;
constexpr Index columns_at_once = 2 * lanes, most_rows = 4 * tile_rows;
using Weights = std::uint32_t[most_rows][thirds][steps_in_block][lanes];
using Bytes = std::uint32_t[steps_in_block][tile_rows][columns_at_once];

void split_weights(real unit, const real* weight, std::uint32_t (&out)[thirds][steps_in_block][lanes]) {
  for (Index step = 0; step < steps_in_block; ++step) {
    __m512 low = _mm512_mul_ps(_mm512_set1_ps(unit), _mm512_loadu_ps(weight + step * points_in_step));
    __m512 high = _mm512_mul_ps(_mm512_set1_ps(unit), _mm512_loadu_ps(weight + step * points_in_step + lanes));
    for (Index third = 0; third < thirds; ++third) {
      const auto rounded = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
      _mm512_store_si512(out[third][step], rounded);
      const auto widened = [](__m256i halves) {
        return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
      };
      low = _mm512_sub_ps(low, widened(_mm512_castsi512_si256(rounded)));
      high = _mm512_sub_ps(high, widened(_mm512_extracti32x8_epi32(rounded, 1)));
    }
  }
}

// Columns k, k + 1, ... of the points, as many as there are; whether one of them is not 0.
bool pair_bytes(Index count, Index k, const std::uint8_t* const* points, Bytes& out) {
  const auto present = static_cast<__mmask32>(count < columns_at_once ? (1u << count) - 1 : ~0u);
  __m256i any = _mm256_setzero_si256();
  for (Index pair = 0; pair < block_size / 2; ++pair) {
    // Points lie anywhere in memory: the next columns are asked for ahead, past a row's end in vain.
    for (const Index l : {2 * pair, 2 * pair + 1}) _mm_prefetch(points[l] + k + 2 * columns_at_once, _MM_HINT_T0);
    const __m256i first = _mm256_maskz_loadu_epi8(present, points[2 * pair] + k);
    const __m256i second = _mm256_maskz_loadu_epi8(present, points[2 * pair + 1] + k);
    any = _mm256_or_si256(any, _mm256_or_si256(first, second));
    const auto put = [&](__m128i of_first, __m128i of_second, Index at) {
      const auto number = [](__m128i bytes) {
        return _mm512_castps_si512(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes)));
      };
      _mm512_store_si512(&out[pair / tile_rows][pair % tile_rows][at],
                         _mm512_or_si512(number(of_second), _mm512_srli_epi32(number(of_first), 16)));
    };
    put(_mm256_castsi256_si128(first), _mm256_castsi256_si128(second), 0);
    put(_mm256_extracti128_si256(first, 1), _mm256_extracti128_si256(second, 1), lanes);
  }
  return _mm256_testz_si256(any, any) == 0;
}

template <int groups>
void sum_columns(const Weights& weights, Index row, const Bytes& bytes, float (&sums)[2 * tile_rows][columns_at_once]) {
  clear_sums<groups, 2>();
  for (Index third = 0; third < thirds; ++third)
    for (Index step = 0; step < steps_in_block; ++step)
      add_step<OfBf16, groups, 2>({weights[row][third][step], weights[row + (groups - 1) * tile_rows][third][step]},
                                  sizeof(weights[0]), {&bytes[step][0][0], &bytes[step][0][lanes]},
                                  sizeof(bytes[0][0]));
  store_sums<groups, 2>(sums, sizeof(sums[0]));
}

void add_weighted_bytes(Index n, real unit, const std::uint8_t* const* points, Index rows, const real* weight,
                        Index stride, real* const* sums) {
  alignas(64) Weights weights;
  start_tiles(Shapes(tile_rows, tile_rows));
  for (Index begin = 0; begin < rows; begin += most_rows) {
    const Index count = std::min(most_rows, rows - begin);
    for (Index r = 0; r < count; ++r) split_weights(unit, weight + (begin + r) * stride, weights[r]);
    for (Index k = 0; k < n; k += columns_at_once) {
      alignas(64) Bytes bytes;
      if (!pair_bytes(n - k, k, points, bytes)) continue;
      for (Index row = 0; row < count; row += 2 * tile_rows) {
        alignas(64) float of_rows[2 * tile_rows][columns_at_once];
        const auto run = count - row > tile_rows ? sum_columns<2> : sum_columns<1>;
        run(weights, row, bytes, of_rows);
        for (Index r = 0; r < std::min(2 * tile_rows, count - row); ++r)
          for (Index l = 0; l < columns_at_once && k + l < n; l += lanes) {
            const Index left = n - k - l;
            const auto present = static_cast<__mmask16>(left < lanes ? (1u << left) - 1 : ~0u);
            real* const sum = sums[begin + row + r] + k + l;
            _mm512_mask_storeu_ps(sum, present,
                                  _mm512_add_ps(_mm512_maskz_loadu_ps(present, sum), _mm512_load_ps(&of_rows[r][l])));
          }
      }
    }
  }
  end_tiles();
}

}  // namespace
}  // namespace engine::simd
