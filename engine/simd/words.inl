// Products of 8-bit points with digits of 16 bits by vpmaddwd, which multiplies twice as many as a float instruction.
// Part of avx2.cpp: xsimd can't express it.
#pragma once

#include <immintrin.h>

#include "engine/simd/digits.inl"

namespace engine::simd {
namespace {

constexpr Digits digits_of_16_bits = {.bits = 16, .most = 2};
constexpr int lanes = 8;

// A part of a block: a list of the pairs of coordinates that are not 0 for all its points, then these: [pairs, points,
// 2].
constexpr Index points_together = 2 * lanes, pair_bytes = points_together * 4;
static_assert(points_together == group_size);

// A lane of a product adds up two coordinates of one point, at most 2^24 - 2^16 in modulus.
constexpr Index most_pairs = 128;

__m256i load_256(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

// 16 bytes as 16 words.
__m256i widened(const std::uint8_t* bytes) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

__m256i add_products(__m256i sum, __m256i a, __m256i b) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}

// left_sum and right_sum += products of left and right with the two digits at `pair`. In one piece, since GCC 12 would
// make all products of a loop first and move the sums through memory.
void add_pair_products(__m256i& left_sum, __m256i& right_sum, __m256i left, __m256i right, const std::int8_t* pair) {
  __m256i both, product;
  asm("vpbroadcastd %6, %2\n\t"
      "vpmaddwd %2, %4, %3\n\t"
      "vpmaddwd %2, %5, %2\n\t"
      "vpaddd %3, %0, %0\n\t"
      "vpaddd %2, %1, %1"
      : "+x"(left_sum), "+x"(right_sum), "=&x"(both), "=&x"(product)
      : "x"(left), "x"(right), "m"(*reinterpret_cast<const std::int8_t(*)[4]>(pair)));
}

// Transposes 8 rows of 8 words of 32 bits.
void transpose_words(__m256i (&row)[lanes]) {
  __m256i pair[lanes], four[lanes];
  for (int i = 0; i < lanes; i += 2) {
    pair[i] = _mm256_unpacklo_epi32(row[i], row[i + 1]);
    pair[i + 1] = _mm256_unpackhi_epi32(row[i], row[i + 1]);
  }
  for (int i = 0; i < lanes; i += 4)
    for (int k = 0; k < 2; ++k) {
      four[i + 2 * k] = _mm256_unpacklo_epi64(pair[i + k], pair[i + k + 2]);
      four[i + 2 * k + 1] = _mm256_unpackhi_epi64(pair[i + k], pair[i + k + 2]);
    }
  for (int k = 0; k < 4; ++k) {
    row[k] = _mm256_permute2x128_si256(four[k], four[k + 4], 0x20);
    row[k + 4] = _mm256_permute2x128_si256(four[k], four[k + 4], 0x31);
  }
}

// Keeps the pairs that are not 0 for all points.
void compress_part(Index n, std::uint8_t* part) {
  auto* const list = reinterpret_cast<std::int32_t*>(part);
  std::uint8_t* const pairs = part + digits_of_16_bits.list(n);
  std::int32_t kept = 0;
  for (std::int32_t pair = 0; pair < digits_of_16_bits.padded(n) / 2; ++pair) {
    const __m256i left = load_256(pairs + pair * pair_bytes), right = load_256(pairs + pair * pair_bytes + 32);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(pairs + kept * pair_bytes), left);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(pairs + kept * pair_bytes + 32), right);
    const __m256i any = _mm256_or_si256(left, right);
    list[1 + kept] = pair;
    kept += !_mm256_testz_si256(any, any);
  }
  list[0] = kept;
}

void interleave_bytes(Index n, const std::uint8_t* const* rows, std::uint8_t* block, real* sums) {
  constexpr Index step = 16;
  const __m256i ones = _mm256_set1_epi16(1);
  for (Index first = 0; first < block_size; first += lanes) {
    std::uint8_t* const part = block + first / points_together * digits_of_16_bits.group(n);
    std::uint8_t* const to = part + digits_of_16_bits.list(n) + first % points_together * 4;
    __m256i sum = _mm256_setzero_si256();
    for (Index k = 0; k < n; k += step) {
      __m256i word[lanes];
      for (int i = 0; i < lanes; ++i) {
        const std::uint8_t* from = rows[first + i] + k;
        std::uint8_t last[step] = {};
        if (n - k < step) {
          for (Index l = 0; l < n - k; ++l) last[l] = from[l];
          from = last;
        }
        word[i] = widened(from);
      }
      transpose_words(word);
      const Index pairs = digits_of_16_bits.padded(n - k < step ? n - k : step) / 2;
#pragma GCC unroll 8
      for (int w = 0; w < lanes; ++w) {
        if (w >= pairs) break;
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + (k / 2 + w) * pair_bytes), word[w]);
        sum = add_products(sum, word[w], ones);
      }
    }
    _mm256_storeu_ps(sums + first, _mm256_cvtepi32_ps(sum));
    if ((first + lanes) % points_together == 0) compress_part(n, part);
  }
}

// total[q][l] += unit sum_k digit_qk point_lk, for one digit of each query and a part of a block. One pair of digits
// meets the part's two vectors: 12 sums of six queries fill the registers, which inlined GCC 12 would use for others.
template <int queries>
[[gnu::noinline]] void add_part(Index n, const std::uint8_t* part, const std::int8_t* const (&digit)[queries],
                                real unit, real (*total)[points_together]) {
  constexpr int vectors = 2;
  const auto* const list = reinterpret_cast<const std::int32_t*>(part);
  const std::uint8_t* const kept = part + digits_of_16_bits.list(n);
  const Index pairs = list[0];
  for (Index begin = 0; begin < pairs; begin += most_pairs) {
    const Index end = pairs - begin < most_pairs ? pairs : begin + most_pairs;
    __m256i sum[queries][vectors];
#pragma GCC unroll 6
    for (int q = 0; q < queries; ++q) sum[q][0] = sum[q][1] = _mm256_setzero_si256();
    for (Index pair = begin; pair < end; ++pair) {
      const __m256i left = load_256(kept + pair * pair_bytes), right = load_256(kept + pair * pair_bytes + 32);
      const Index at = Index{list[1 + pair]} * 4;
#pragma GCC unroll 6
      for (int q = 0; q < queries; ++q) add_pair_products(sum[q][0], sum[q][1], left, right, digit[q] + at);
    }
    const __m256 factor = _mm256_set1_ps(unit);
#pragma GCC unroll 6
    for (int q = 0; q < queries; ++q)
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) {
        real* to = total[q] + v * lanes;
        _mm256_storeu_ps(to, _mm256_fmadd_ps(factor, _mm256_cvtepi32_ps(sum[q][v]), _mm256_loadu_ps(to)));
      }
  }
}

// The products of the rows found[at[q]] with a part.
template <int queries>
void products_of(Index n, const std::uint8_t* part, const real* sums, const std::int32_t* found, const std::int32_t* at,
                 int count, const ScaledRows& rows, real* out, Index stride) {
  constexpr real base = 65536;
  real total[queries][points_together];
  // Unrolled, since GCC 12 would clear a whole array by an instruction that takes a tenth of the products' time.
#pragma GCC unroll 6
  for (int q = 0; q < queries; ++q)
#pragma GCC unroll 2
    for (Index l = 0; l < points_together; l += lanes) _mm256_storeu_ps(total[q] + l, _mm256_setzero_ps());
  // What is written comes to the cache meanwhile.
  for (int q = 0; q < queries; ++q) __builtin_prefetch(out + at[q] * stride, 1);
  for (int s = 0; s < count; ++s) {
    const std::int8_t* digit[queries];
    for (int q = 0; q < queries; ++q)
      digit[q] = rows.digits + found[at[q]] * digits_of_16_bits.row(n) + s * digits_of_16_bits.plane(n);
    add_part<queries>(n, part, digit, s == count - 1 ? 1 : base, total);
  }
  for (int q = 0; q < queries; ++q) {
    const Index r = found[at[q]];
    const __m256 factor = _mm256_set1_ps(rows.scale[r]), incline = _mm256_set1_ps(rows.slope[r]);
    const __m256 constant = _mm256_set1_ps(rows.shift[r]);
    for (Index l = 0; l < points_together; l += lanes) {
      const __m256 rest = _mm256_fmadd_ps(incline, _mm256_loadu_ps(sums + l), constant);
      _mm256_storeu_ps(out + at[q] * stride + l, _mm256_fmadd_ps(factor, _mm256_loadu_ps(total[q] + l), rest));
    }
  }
}

using Products = void (*)(Index, const std::uint8_t*, const real*, const std::int32_t*, const std::int32_t*, int,
                          const ScaledRows&, real*, Index);

// For fewer queries than fill the registers.
Products rest(Index queries) {
  constexpr Products few[] = {products_of<1>, products_of<2>, products_of<3>, products_of<4>, products_of<5>};
  return few[queries - 1];
}

void part_products(Index n, const std::uint8_t* part, const real* sums, const std::int32_t* found, Index queries,
                   const std::int32_t* at, int count, const ScaledRows& rows, real* out, Index stride) {
  constexpr Index together = 6;
  Index q = 0;
  for (; q + together <= queries; q += together)
    products_of<together>(n, part, sums, found, at + q, count, rows, out, stride);
  if (q < queries) rest(queries - q)(n, part, sums, found, at + q, count, rows, out, stride);
}

void digit_products(Index n, Index blocks, const DigitBlock* block, Index queries, const std::int32_t* found,
                    const std::uint8_t* wanted, int count, const ScaledRows& rows, real* out, Index stride) {
  for_each_group<digits_of_16_bits.together>(
      blocks, queries, wanted, out, stride,
      [&](Index b, Index g, Index begin, Index those, const std::int32_t* at, real* to) {
        part_products(n, block[b].points + g * digits_of_16_bits.group(n), block[b].sums + g * group_size,
                      found + begin, those, at, count, rows, to, stride);
      });
}

constexpr Kernels with_byte_products(Kernels kernels) {
  kernels.digits = digits_of_16_bits;
  kernels.round_to_digits = round_to_digits<xsimd::fma3<xsimd::avx2>, digits_of_16_bits>;
  kernels.interleave_bytes = interleave_bytes;
  kernels.digit_products = digit_products;
  return kernels;
}

}  // namespace
}  // namespace engine::simd
