// Lower bounds of the least values of groups by AMX's tiles, which multiply bfloat16 numbers. Part of amx.cpp.
//
// Each coordinate is rounded to such a number, x to x^. By Cauchy-Schwarz
//
//     x.y <= x^.y^ + ||x - x^|| ||y|| + ||x^|| ||y - y^||,
//
// the product of (x^, ||x - x^||, ||x^||) and (y^, ||y||, ||y - y^||), whose last two numbers are rounded up.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <limits>

#include "engine/simd/kernels.h"
#include "engine/simd/tiles.inl"
#include "engine/simd/transpose_words.inl"

namespace engine::simd {
namespace {

// Words, each a pair of numbers, of a point or query. A tile holds 16 words of each of 16 points, or of 16 queries.
constexpr Index words_in_tile = tile_bytes / 4, tile_words = tile_rows * words_in_tile;

constexpr Index words_of(Index dimension) {
  const Index words = (dimension + 2 + 1) / 2;
  return (words + words_in_tile - 1) / words_in_tile * words_in_tile;
}

constexpr Index most_words = words_of(most_group_coordinates);

__m512i as_bf16(__m512 x) {
  return _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)));
}

__m512 from_bf16(__m512i number) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(number, 16));
}

// For x >= 0, a number that is not below.
__m512i as_bf16_above(__m512 x) {
  return _mm512_srli_epi32(_mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0xffff)), 16);
}

// 16 points or queries, a lane of each: its numbers, each in the low half of a word.
struct Rounded {
  __m512i numbers[2 * most_words];
  __m512 length, missed;  // ||x|| and ||x - x^||, or a little more

  template <class Coordinate>
  Rounded(Index dimension, const Coordinate& coordinate) {
    // Where squares are too small for a float, or add up to too much for it, the lengths are still not too small, and
    // no product of theirs is that of 0 and infinity.
    const __m512 smallest = _mm512_set1_ps(std::numeric_limits<float>::min());
    __m512 squares = smallest, missed_squares = smallest;
    for (Index k = 0; k < dimension; ++k) {
      const __m512 x = coordinate(k);
      numbers[k] = as_bf16(x);
      const __m512 rest = _mm512_sub_ps(x, from_bf16(numbers[k]));
      squares = _mm512_fmadd_ps(x, x, squares);
      missed_squares = _mm512_fmadd_ps(rest, rest, missed_squares);
    }
    const __m512 wider = _mm512_set1_ps(1 + 0x1p-16f);  // by more than the rounding of sums
    length = _mm512_mul_ps(_mm512_sqrt_ps(squares), wider);
    missed = _mm512_mul_ps(_mm512_sqrt_ps(missed_squares), wider);
  }

  // The words of all numbers, with two more that follow.
  void pair(Index dimension, __m512i last_but_one, __m512i last, __m512i* words) {
    numbers[dimension] = last_but_one;
    numbers[dimension + 1] = last;
    for (Index k = dimension + 2; k < 2 * words_of(dimension); ++k) numbers[k] = _mm512_setzero_si512();
    for (Index w = 0; w < words_of(dimension); ++w)
      words[w] = _mm512_or_si512(numbers[2 * w], _mm512_slli_epi32(numbers[2 * w + 1], 16));
  }
};

Index packed_points(Index dimension) {
  return block_size * words_of(dimension);
}

// Transposed: rows of 16 words, of one point after the other.
void put_rows(Index dimension, __m512i* words, real* out) {
  for (Index w = 0; w < words_of(dimension); w += words_in_tile) {
    transpose_words(*reinterpret_cast<__m512i(*)[lanes]>(words + w));
    for (Index l = 0; l < lanes; ++l) _mm512_store_si512(out + (w + l) * words_in_tile, words[w + l]);
  }
}

// Group after group, the tiles of each, whose rows are of a point each.
void pack_points(Index dimension, const real* points, real* packed) {
  for (Index g = 0; g < groups_in_block; ++g) {
    Rounded group(dimension, [&](Index k) { return _mm512_load_ps(points + k * block_size + g * lanes); });
    __m512i words[most_words];
    group.pair(dimension, as_bf16_above(group.length), as_bf16_above(group.missed), words);
    put_rows(dimension, words, packed + g * lanes * words_of(dimension));
  }
}

// 16 queries after 16 queries: their tiles, whose rows are of a word each, then the same with rows of a query each.
Index packed_queries(Index dimension, Index queries) {
  return (queries + lanes - 1) / lanes * 2 * lanes * words_of(dimension);
}

void pack_queries(Index dimension, Index queries, const real* query, real* packed) {
  const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const __m512i row = _mm512_mullo_epi32(lane, _mm512_set1_epi32(static_cast<int>(dimension)));
  const Index size = lanes * words_of(dimension);
  for (Index q = 0; q < queries; q += lanes, packed += 2 * size) {
    const auto present = static_cast<__mmask16>((1u << std::min<Index>(lanes, queries - q)) - 1);
    Rounded some(dimension, [&](Index k) {
      const __m512 zero = _mm512_setzero_ps();
      return _mm512_sub_ps(zero, _mm512_mask_i32gather_ps(zero, present, row, query + q * dimension + k, 4));
    });
    const auto negative = [](__m512i number) { return _mm512_or_si512(number, _mm512_set1_epi32(0x8000)); };
    __m512i words[most_words];
    some.pair(dimension, negative(as_bf16_above(some.missed)),
              negative(as_bf16_above(_mm512_add_ps(some.length, some.missed))), words);
    for (Index w = 0; w < words_of(dimension); ++w) _mm512_store_si512(packed + w * lanes, words[w]);
    put_rows(dimension, words, packed + size);
  }
}

// The tiles of up to 16 queries: as they are packed, or `copied` together.
const real* tiles_of(Index dimension, Index queries, const std::int32_t* found, const real* packed, real* copied) {
  const Index size = lanes * words_of(dimension);
  const auto sixteen = [&](std::int32_t q) { return packed + q / lanes * 2 * size; };
  if (found[0] % lanes == 0 && found[queries - 1] == found[0] + queries - 1) return sixteen(found[0]);
  for (Index w = 0; w < words_of(dimension); w += words_in_tile) {
    __m512i rows[lanes];
    for (Index l = 0; l < lanes; ++l) {
      const std::int32_t q = found[std::min(l, queries - 1)];
      rows[l] = _mm512_load_si512(sixteen(q) + size + (w + q % lanes) * words_in_tile);
    }
    transpose_words(rows);
    for (Index l = 0; l < lanes; ++l) _mm512_store_si512(copied + (w + l) * lanes, rows[l]);
  }
  return copied;
}

// Of one or two tiles of queries, the first of all full.
template <int tiles>
void minima_of(Index dimension, const real* points, const real (&offsets)[block_size][lanes], Index queries,
               const std::int32_t* found, const real* packed, real* minima, Index stride) {
  const Index size = lanes * words_of(dimension);
  alignas(64) real copied[tiles][lanes * most_words];
  const real* query[tiles];
  for (Index t = 0; t < tiles; ++t)
    query[t] = tiles_of(dimension, std::min<Index>(lanes, queries - t * lanes), found + t * lanes, packed, copied[t]);
  for (Index g = 0; g < groups_in_block; g += 2) {
    load<0>(offsets[g * lanes], tile_bytes);
    if constexpr (tiles == 2) load<1>(offsets[g * lanes], tile_bytes);
    load<2>(offsets[(g + 1) * lanes], tile_bytes);
    if constexpr (tiles == 2) load<3>(offsets[(g + 1) * lanes], tile_bytes);
    const real* const group = points + g * size;
    for (Index w = 0; w < size; w += tile_words)
      add_step<OfBf16, 2, tiles>({group + w, group + size + w}, tile_bytes, {query[0] + w, query[tiles - 1] + w},
                                 tile_bytes);
    alignas(64) float values[2][lanes][tiles][lanes];
    store_sums<2, tiles>(values, sizeof(values[0][0]));
    for (Index of_two = 0; of_two < 2; ++of_two)
      for (Index t = 0; t < tiles; ++t) {
        __m512 least = _mm512_set1_ps(std::numeric_limits<float>::infinity());
        // NaN, as of an offset and a product that are both infinite, is not taken.
        for (Index l = 0; l < lanes; ++l) least = _mm512_min_ps(_mm512_load_ps(values[of_two][l][t]), least);
        const Index count = std::min<Index>(lanes, queries - t * lanes);
        const auto present = static_cast<__mmask16>((1u << count) - 1);
        const std::int32_t* const q = found + t * lanes;
        real* const out = minima + (g + of_two) * stride;
        if (q[count - 1] - q[0] == count - 1)
          _mm512_mask_storeu_ps(out + q[0], present, least);
        else
          _mm512_mask_i32scatter_ps(out, present, _mm512_maskz_loadu_epi32(present, q), least, 4);
      }
  }
}

void group_minima(Index dimension, const real* points, const real* h, Index queries, const std::int32_t* found,
                  const real* packed, real* minima, Index stride) {
  static_assert(group_size == lanes && groups_in_block % 2 == 0);
  if (queries == 0) return;
  alignas(64) real offsets[block_size][lanes];
  for (Index l = 0; l < block_size; ++l) _mm512_store_ps(offsets[l], _mm512_set1_ps(h[l]));
  start_tiles(Shapes(tile_rows, tile_rows));
  Index q = 0;
  for (; q + lanes < queries; q += 2 * lanes)
    minima_of<2>(dimension, points, offsets, queries - q, found + q, packed, minima, stride);
  if (q < queries) minima_of<1>(dimension, points, offsets, queries - q, found + q, packed, minima, stride);
  end_tiles();
}

}  // namespace
}  // namespace engine::simd
