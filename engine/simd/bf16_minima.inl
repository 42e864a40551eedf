// Lower bounds of the least values of groups by vdpbf16ps, which multiplies pairs of bfloat16 numbers
// (bf16_points.inl), twice as many as a float instruction. Part of bf16.cpp.
#pragma once

#include <immintrin.h>

#include <limits>

#include "engine/simd/bf16_points.inl"
#include "engine/simd/kernels.h"

namespace engine::simd {
namespace {

// A block holds word after word those of its points, a batch the words of one query after the other.
std::int64_t packed_points(std::int64_t dimension) {
  return block_size * words_of(dimension);
}

void pack_points(std::int64_t dimension, const real* points, real* packed) {
  for (std::int64_t first = 0; first < block_size; first += lanes) {
    Rounded group(dimension, [&](std::int64_t k) { return _mm512_load_ps(points + k * block_size + first); });
    __m512i words[words_of(most_group_coordinates)];
    group.pair_as_points(dimension, words);
    for (std::int64_t w = 0; w < words_of(dimension); ++w)
      _mm512_store_si512(packed + w * block_size + first, words[w]);
  }
}

std::int64_t packed_queries(std::int64_t dimension, std::int64_t queries) {
  return queries * words_of(dimension);
}

void pack_queries(std::int64_t dimension, std::int64_t queries, const real* query, real* packed) {
  const std::int64_t size = words_of(dimension);
  const __m512i rows = each_times(size);
  for (std::int64_t q = 0; q < queries; q += lanes) {
    const QueryCoordinates coordinates(dimension, queries - q, query + q * dimension);
    __m512i words[words_of(most_group_coordinates)];
    Rounded(dimension, coordinates).pair_as_queries(dimension, words);
    for (std::int64_t w = 0; w < size; ++w)
      _mm512_mask_i32scatter_epi32(packed + q * size + w, coordinates.present, rows, words[w], 4);
  }
}

// sum_i += two products of bfloat16 numbers, in each of 16 lanes i. GCC 12 moves sums through memory around the
// intrinsic for their bytes.
void add_products(__m512& sum, __m512i a, __m512i b) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
}

// The least lane of each of the four groups. NaN, as of an offset and a product that are both infinite, is not taken.
__m128 least_of_groups(const __m512 (&group)[groups_in_block]) {
  const __m512 infinity = _mm512_set1_ps(std::numeric_limits<float>::infinity());
  const auto halves = [](__m512 a, __m512 b) {
    return _mm512_min_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  };
  const auto number = [&](int g) { return _mm512_min_ps(group[g], infinity); };
  const __m512 four = halves(halves(number(0), number(2)), halves(number(1), number(3)));
  const __m256 two = _mm256_min_ps(_mm512_castps512_ps256(four), _mm512_extractf32x8_ps(four, 1));
  return _mm_min_ps(_mm256_castps256_ps128(two), _mm256_extractf128_ps(two, 1));
}

// Six queries by the four vectors of a block fill the registers with 24 sums.
template <int queries>
void query_minima(std::int64_t dimension, const real* points, const real* h, const std::int32_t* found,
                  const real* packed, real* minima, std::int64_t stride) {
  static_assert(group_size == lanes);
  const std::int64_t size = words_of(dimension);
  const real* row[queries];
  __m512 sum[queries][groups_in_block];
#pragma GCC unroll 6
  for (int q = 0; q < queries; ++q) {
    row[q] = packed + found[q] * size;
#pragma GCC unroll 4
    for (int g = 0; g < groups_in_block; ++g) sum[q][g] = _mm512_load_ps(h + g * lanes);
  }
  for (std::int64_t w = 0; w < size; ++w) {
    __m512i point[groups_in_block];
#pragma GCC unroll 4
    for (int g = 0; g < groups_in_block; ++g) point[g] = _mm512_load_si512(points + w * block_size + g * lanes);
#pragma GCC unroll 6
    for (int q = 0; q < queries; ++q) {
      const __m512i word = _mm512_castps_si512(_mm512_set1_ps(row[q][w]));
#pragma GCC unroll 4
      for (int g = 0; g < groups_in_block; ++g) add_products(sum[q][g], point[g], word);
    }
  }
#pragma GCC unroll 6
  for (int q = 0; q < queries; ++q) {
    alignas(16) real least[groups_in_block];
    _mm_store_ps(least, least_of_groups(sum[q]));
    for (std::int64_t g = 0; g < groups_in_block; ++g) minima[g * stride + found[q]] = least[g];
  }
}

void group_minima(std::int64_t dimension, const real* points, const real* h, std::int64_t queries,
                  const std::int32_t* found, const real* packed, real* minima, std::int64_t stride) {
  constexpr int together = 6;
  std::int64_t q = 0;
  for (; q + together <= queries; q += together)
    query_minima<together>(dimension, points, h, found + q, packed, minima, stride);
  for (; q < queries; ++q) query_minima<1>(dimension, points, h, found + q, packed, minima, stride);
}

}  // namespace
}  // namespace engine::simd
