// The least bounds of groups by AMX's tiles, which multiply bfloat16 numbers. Part of amx.cpp.
//
// A float is nearly the sum of two such numbers, x ~ x_high + x_low, within 2^-18 |x|. Of a product x y the tiles add
// up x_high y_high + x_high y_low + x_low y_high, which is within 3 2^-18 |x y|.
#pragma once

#include <immintrin.h>

#include <algorithm>

#include "engine/simd/kernels.h"
#include "engine/simd/tiles.inl"
#include "engine/simd/transpose_words.inl"

namespace engine::simd {
namespace {

constexpr Index words_in_step = tile_bytes / 4;

// Words, each a pair of numbers, of two coordinates: their six products are those of three words.
constexpr Index words_of_two = 3;

constexpr Index words_of(Index dimension) {
  const Index words = (dimension + 1) / 2 * words_of_two;
  return (words + words_in_step - 1) / words_in_step * words_in_step;
}

constexpr Index most_words = words_of(most_group_coordinates);

// A coordinate of 16 points or queries, each half in the low bits of a word.
struct Halves {
  __m512i high, low;

  explicit Halves(__m512 x) {
    const auto rounded = [](__m512 value) {
      return _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(value)));
    };
    high = rounded(x);
    low = rounded(_mm512_sub_ps(x, _mm512_castsi512_ps(_mm512_slli_epi32(high, 16))));
  }
};

__m512i pair(__m512i first, __m512i second) {
  return _mm512_or_si512(first, _mm512_slli_epi32(second, 16));
}

// The words of two coordinates of points and of queries: (high, high) meets (high, low), (low, high) meets (high,
// high), and (high, low) meets (low, high).
void words_of_points(const Halves& x, const Halves& y, __m512i (&words)[words_of_two]) {
  words[0] = pair(x.high, x.high);
  words[1] = pair(x.low, y.high);
  words[2] = pair(y.high, y.low);
}
void words_of_queries(const Halves& x, const Halves& y, __m512i (&words)[words_of_two]) {
  words[0] = pair(x.high, x.low);
  words[1] = pair(x.high, y.high);
  words[2] = pair(y.low, y.high);
}

Index packed_size(Index dimension) {
  return words_of(dimension);
}

void pack_queries(Index dimension, Index queries, const real* query, real* packed) {
  const Index size = words_of(dimension);
  for (Index w = 0; w < queries * size; ++w) packed[w] = 0;
  const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const __m512i row = _mm512_mullo_epi32(lane, _mm512_set1_epi32(static_cast<int>(dimension)));
  const __m512i out = _mm512_mullo_epi32(lane, _mm512_set1_epi32(static_cast<int>(size)));
  for (Index q = 0; q < queries; q += tile_rows) {
    const auto present = static_cast<__mmask16>((1u << std::min(tile_rows, queries - q)) - 1);
    const auto coordinate = [&](Index k) {
      if (k >= dimension) return Halves(_mm512_setzero_ps());
      return Halves(_mm512_mask_i32gather_ps(_mm512_setzero_ps(), present, row, query + q * dimension + k, 4));
    };
    for (Index k = 0; k < dimension; k += 2) {
      __m512i words[words_of_two];
      words_of_queries(coordinate(k), coordinate(k + 1), words);
      for (Index w = 0; w < words_of_two; ++w)
        _mm512_mask_i32scatter_epi32(packed + q * size + k / 2 * words_of_two + w, present, out, words[w], 4);
    }
  }
}

// The words of a block's points, those of all points side by side.
using BlockWords = std::uint32_t[most_words][block_size];

void pack_points(Index dimension, const real* points, BlockWords& out) {
  Index word = 0;
  for (Index k = 0; k < dimension; k += 2, word += words_of_two)
    for (Index l = 0; l < block_size; l += lanes) {
      const real* const first = points + k * block_size + l;
      const __m512 second = k + 1 < dimension ? _mm512_load_ps(first + block_size) : _mm512_setzero_ps();
      __m512i words[words_of_two];
      words_of_points(Halves(_mm512_load_ps(first)), Halves(second), words);
      for (Index w = 0; w < words_of_two; ++w) _mm512_store_si512(&out[word + w][l], words[w]);
    }
  for (; word < words_of(dimension); ++word)
    for (Index l = 0; l < block_size; l += lanes) _mm512_store_si512(&out[word][l], _mm512_setzero_si512());
}

// The least lane of each of four vectors, as in blocks.inl.
__m128 lowest_lanes(const __m512 (&group)[groups_in_block]) {
  const auto halves = [](__m512 a, __m512 b) {
    return _mm512_min_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  };
  const __m512 four = halves(halves(group[0], group[2]), halves(group[1], group[3]));
  const __m256 two = _mm256_min_ps(_mm512_castps512_ps256(four), _mm512_extractf32x8_ps(four, 1));
  return _mm_min_ps(_mm256_castps256_ps128(two), _mm256_extractf128_ps(two, 1));
}

// For one or two parts of as many queries each.
template <int parts>
void minima_of(Index size, const BlockWords& words, const real* h, Index queries,
               const std::int32_t* const (&found)[parts], const real* packed, real* minima) {
  alignas(64) real copied[parts][tile_rows * most_words];
  const real* rows[parts];
  for (int p = 0; p < parts; ++p) {
    rows[p] = packed + found[p][0] * size;
    // Rows that don't follow each other are copied.
    if (found[p][queries - 1] - found[p][0] == queries - 1) continue;
    for (Index q = 0; q < queries; ++q)
      for (Index w = 0; w < size; w += words_in_step)
        _mm512_store_ps(copied[p] + q * size + w, _mm512_loadu_ps(packed + found[p][q] * size + w));
    rows[p] = copied[p];
  }
  alignas(64) float sums[parts][tile_rows][block_size];
  for (Index l = 0; l < block_size; l += 2 * lanes) {
    clear_sums<parts, 2>();
    for (Index w = 0; w < size; w += words_in_step)
      add_step<OfBf16, parts, 2>({rows[0] + w, rows[parts - 1] + w}, size * 4, {&words[w][l], &words[w][l + lanes]},
                                 sizeof(words[0]));
    store_sums<parts, 2>(&sums[0][0][l], sizeof(sums[0][0]));
  }
  __m512 offset[groups_in_block];
  for (Index g = 0; g < groups_in_block; ++g) offset[g] = _mm512_load_ps(h + g * lanes);
  for (int p = 0; p < parts; ++p)
    for (Index q = 0; q < queries; ++q) {
      __m512 value[groups_in_block];
      for (Index g = 0; g < groups_in_block; ++g)
        value[g] = _mm512_sub_ps(offset[g], _mm512_load_ps(&sums[p][q][g * lanes]));
      _mm_storeu_ps(minima + found[p][q] * groups_in_block, lowest_lanes(value));
    }
}

// Queries are cut into parts of as many, the last one perhaps with some of the one before.
void group_minima(Index dimension, const real* points, const real* h, Index queries, const std::int32_t* found,
                  const real* packed, real* minima) {
  static_assert(group_size == lanes && groups_in_block == 4);
  if (queries == 0) return;
  const Index size = words_of(dimension), parts = (queries + tile_rows - 1) / tile_rows,
              count = (queries + parts - 1) / parts;
  const auto first = [&](Index p) { return found + std::min(p * count, queries - count); };
  alignas(64) BlockWords words;
  pack_points(dimension, points, words);
  start_tiles(Shapes(count, count));
  Index p = 0;
  for (; p + 2 <= parts; p += 2) minima_of<2>(size, words, h, count, {first(p), first(p + 1)}, packed, minima);
  if (p < parts) minima_of<1>(size, words, h, count, {first(p)}, packed, minima);
  end_tiles();
}

}  // namespace
}  // namespace engine::simd
