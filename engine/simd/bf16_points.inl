// Points and queries of bounds as bfloat16 numbers. Part of the kernel files for AVX-512 with BF16.
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
#include "engine/simd/transpose_words.inl"

namespace engine::simd {
namespace {

/// The words, each a pair of numbers, of a point or query.
constexpr std::int64_t words_of(std::int64_t dimension) {
  return (dimension + 2 + 1) / 2;
}

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

/// 16 points or queries, a lane of each: its numbers, each in the low half of a word.
struct Rounded {
  __m512i numbers[2 * words_of(most_group_coordinates)];
  __m512 length, missed;  ///< ||x|| and ||x - x^||, or a little more

  template <class Coordinate>
  Rounded(std::int64_t dimension, const Coordinate& coordinate) {
    // Where squares are too small for a float, or add up to too much for it, the lengths are still not too small, and
    // no product of theirs is that of 0 and infinity.
    const __m512 smallest = _mm512_set1_ps(std::numeric_limits<float>::min());
    __m512 squares = smallest, missed_squares = smallest;
    for (std::int64_t k = 0; k < dimension; ++k) {
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

  /// Writes the words of points, [words_of()], or of queries with their signs turned.
  void pair_as_points(std::int64_t dimension, __m512i* words) {
    pair(dimension, as_bf16_above(length), as_bf16_above(missed), words);
  }
  void pair_as_queries(std::int64_t dimension, __m512i* words) {
    pair(dimension, as_bf16_above(missed), as_bf16_above(_mm512_add_ps(length, missed)), words);
    for (std::int64_t w = 0; w < words_of(dimension); ++w)
      words[w] = _mm512_xor_si512(words[w], _mm512_set1_epi32(static_cast<int>(0x80008000)));
  }

 private:
  // The words of all numbers, with two more that follow.
  void pair(std::int64_t dimension, __m512i last_but_one, __m512i last, __m512i* words) {
    numbers[dimension] = last_but_one;
    numbers[dimension + 1] = last;
    if (dimension % 2 != 0) numbers[dimension + 2] = _mm512_setzero_si512();
    for (std::int64_t w = 0; w < words_of(dimension); ++w)
      words[w] = _mm512_or_si512(numbers[2 * w], _mm512_slli_epi32(numbers[2 * w + 1], 16));
  }
};

/// 0, 1, ..., 15 times a distance.
__m512i each_times(std::int64_t distance) {
  return _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                            _mm512_set1_epi32(static_cast<int>(distance)));
}

/// Coordinate k of 16 of some queries [queries, dimension], from `first` on; 0 beyond them.
struct QueryCoordinates {
  const real* first;
  __mmask16 present;
  __m512i rows;

  QueryCoordinates(std::int64_t dimension, std::int64_t queries, const real* from)
      : first(from),
        present(static_cast<__mmask16>((1u << std::min<std::int64_t>(lanes, queries)) - 1)),
        rows(each_times(dimension)) {}

  __m512 operator()(std::int64_t k) const {
    return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), present, rows, first + k, 4);
  }
};

}  // namespace
}  // namespace engine::simd
