// Lower bounds of the least values of groups by AMX's tiles, which multiply bfloat16 numbers (bf16_points.inl). Part of
// amx.cpp.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <limits>

#include "engine/simd/bf16_points.inl"
#include "engine/simd/kernels.h"
#include "engine/simd/tiles.inl"
#include "engine/simd/transpose_words.inl"

namespace engine::simd {
namespace {

// A tile holds 16 words of each of 16 points, or of 16 queries; those of a point or query fill the last one with zeros.
constexpr Index words_in_tile = tile_bytes / 4, tile_words = tile_rows * words_in_tile;

constexpr Index filled_words(Index dimension) {
  return (words_of(dimension) + words_in_tile - 1) / words_in_tile * words_in_tile;
}

using Words = __m512i[filled_words(most_group_coordinates)];

Index packed_points(Index dimension) {
  return block_size * filled_words(dimension);
}

void fill_up(Index dimension, Words& words) {
  for (Index w = words_of(dimension); w < filled_words(dimension); ++w) words[w] = _mm512_setzero_si512();
}

// Transposed: rows of 16 words, of one point after the other.
void put_rows(Index dimension, Words& words, real* out) {
  for (Index w = 0; w < filled_words(dimension); w += words_in_tile) {
    transpose_words(*reinterpret_cast<__m512i(*)[lanes]>(words + w));
    for (Index l = 0; l < lanes; ++l) _mm512_store_si512(out + (w + l) * words_in_tile, words[w + l]);
  }
}

// Group after group, the tiles of each, whose rows are of a point each.
void pack_points(Index dimension, const real* points, real* packed) {
  for (Index g = 0; g < groups_in_block; ++g) {
    Rounded group(dimension, [&](Index k) { return _mm512_load_ps(points + k * block_size + g * lanes); });
    Words words;
    group.pair_as_points(dimension, words);
    fill_up(dimension, words);
    put_rows(dimension, words, packed + g * lanes * filled_words(dimension));
  }
}

// 16 queries after 16 queries: their tiles, whose rows are of a word each, then the same with rows of a query each.
Index packed_queries(Index dimension, Index queries) {
  return (queries + lanes - 1) / lanes * 2 * lanes * filled_words(dimension);
}

void pack_queries(Index dimension, Index queries, const real* query, real* packed) {
  const Index size = lanes * filled_words(dimension);
  for (Index q = 0; q < queries; q += lanes, packed += 2 * size) {
    Rounded some(dimension, QueryCoordinates(dimension, queries - q, query + q * dimension));
    Words words;
    some.pair_as_queries(dimension, words);
    fill_up(dimension, words);
    for (Index w = 0; w < filled_words(dimension); ++w) _mm512_store_si512(packed + w * lanes, words[w]);
    put_rows(dimension, words, packed + size);
  }
}

// The tiles of up to 16 queries: as they are packed, or `copied` together.
const real* tiles_of(Index dimension, Index queries, const std::int32_t* found, const real* packed, real* copied) {
  const Index size = lanes * filled_words(dimension);
  const auto sixteen = [&](std::int32_t q) { return packed + q / lanes * 2 * size; };
  if (found[0] % lanes == 0 && found[queries - 1] == found[0] + queries - 1) return sixteen(found[0]);
  for (Index w = 0; w < filled_words(dimension); w += words_in_tile) {
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
  const Index size = lanes * filled_words(dimension);
  alignas(64) real copied[tiles][lanes * filled_words(most_group_coordinates)];
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
