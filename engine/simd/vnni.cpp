// AVX-512 with VNNI: the kernels of avx512.cpp, and byte products by vpdpbusd, which xsimd can't express. Not in
// double.

// GCC's own AVX-512 header initialises a register with itself (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include "engine/simd/body.inl"
#include "engine/simd/digits.inl"
#include "engine/simd/term512.inl"
#include "engine/simd/transpose_words.inl"

namespace engine::simd {

namespace {

constexpr Digits digits_of_8_bits = {.bits = 8, .most = 3, .together = 64, .multiple = 64};

// A part of a block, a group of 16 points: a list of the fours of coordinates that are not 0 for all of them, then
// these.
constexpr Index four_bytes = group_size * 4;
static_assert(lanes == group_size);

// sum_i += four products of unsigned bytes a and signed bytes b, in each of 16 lanes i. GCC 12 moves every sum through
// memory around the intrinsic.
void add_products(__m512i& sum, __m512i a, __m512i b) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
}

void interleave_bytes(Index n, const std::uint8_t* const* rows, std::uint8_t* block, real* sums) {
  constexpr Index step = 64;
  const __m512i ones = _mm512_set1_epi8(1);
  for (Index g = 0; g < groups_in_block; ++g) {
    std::uint8_t* const part = block + g * digits_of_8_bits.group(n);
    auto* const list = reinterpret_cast<std::int32_t*>(part);
    std::uint8_t* const fours = part + digits_of_8_bits.list(n);
    std::int32_t kept = 0;
    __m512i sum = _mm512_setzero_si512();
    for (Index k = 0; k < n; k += step) {
      const __mmask64 present = n - k < step ? (__mmask64{1} << (n - k)) - 1 : ~__mmask64{0};
      __m512i word[lanes];
      for (Index l = 0; l < lanes; ++l) word[l] = _mm512_maskz_loadu_epi8(present, rows[g * lanes + l] + k);
      transpose_words(word);
#pragma GCC unroll 16
      for (int w = 0; w < lanes; ++w) {
        _mm512_store_si512(fours + kept * four_bytes, word[w]);
        list[1 + kept] = static_cast<std::int32_t>(k / 4 + w);
        kept += _mm512_test_epi32_mask(word[w], word[w]) != 0;
        add_products(sum, word[w], ones);
      }
    }
    list[0] = kept;
    _mm512_storeu_ps(sums + g * lanes, _mm512_cvtepi32_ps(sum));
  }
}

// The same with the signed bytes at b, which GCC 12 would load by themselves.
void add_products_with(__m512i& sum, __m512i a, const std::int8_t* b) {
  asm("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(a), "m"(*reinterpret_cast<const std::int8_t(*)[4]>(b)));
}

// What a part's products with some rows have in common.
struct Problem {
  Index n;
  const std::uint8_t* part;
  const real* sums;
  const std::int32_t* found;
  const ScaledRows& rows;
  real* out;
  Index stride;
};

// Turns the sums with each digit of a query, the first digit first, into what digit_products writes of 16 points.
template <int digits>
void write_products(const __m512i (&sum)[digits], real scale, real shift, real slope, const real* sums, real* out) {
  const __m512 base = _mm512_set1_ps(256);
  __m512 total = _mm512_cvtepi32_ps(sum[0]);
#pragma GCC unroll 4
  for (int s = 1; s < digits; ++s) total = _mm512_fmadd_ps(total, base, _mm512_cvtepi32_ps(sum[s]));
  const __m512 rest = _mm512_fmadd_ps(_mm512_loadu_ps(sums), _mm512_set1_ps(slope), _mm512_set1_ps(shift));
  _mm512_storeu_ps(out, _mm512_fmadd_ps(total, _mm512_set1_ps(scale), rest));
}

// The products of the rows found[at[q]]. One four of coordinates of the part's points meets all rows: from memory, as
// each is met once.
template <int queries, int digits>
void products_of(const Problem& p, const std::int32_t* at) {
  const Index plane = digits_of_8_bits.plane(p.n);
  const std::int8_t* row[queries];
  for (int q = 0; q < queries; ++q) row[q] = p.rows.digits + p.found[at[q]] * digits_of_8_bits.row(p.n);
  // Unrolled at once, so that the sums become registers.
  __m512i sum[queries][digits];
#pragma GCC unroll 8
  for (int q = 0; q < queries; ++q)
#pragma GCC unroll 3
    for (int s = 0; s < digits; ++s) sum[q][s] = _mm512_setzero_si512();
  const auto* const list = reinterpret_cast<const std::int32_t*>(p.part);
  const std::uint8_t* const fours = p.part + digits_of_8_bits.list(p.n);
  const Index kept = list[0];
  for (Index four = 0; four < kept; ++four) {
    const Index k = Index{list[1 + four]} * 4;
    const __m512i points = _mm512_load_si512(fours + four * four_bytes);
#pragma GCC unroll 8
    for (int q = 0; q < queries; ++q)
#pragma GCC unroll 3
      for (int s = 0; s < digits; ++s) add_products_with(sum[q][s], points, row[q] + k + s * plane);
  }
#pragma GCC unroll 8
  for (int q = 0; q < queries; ++q) {
    const Index r = p.found[at[q]];
    write_products(sum[q], p.rows.scale[r], p.rows.shift[r], p.rows.slope[r], p.sums, p.out + at[q] * p.stride);
  }
}

// So many rows at a time, and then fewer.
template <int queries, int digits>
void products(const Problem& problem, const std::int32_t* at, const std::int32_t* end) {
  for (; end - at >= queries; at += queries) products_of<queries, digits>(problem, at);
  if constexpr (queries > 1) products<queries / 2, digits>(problem, at, end);
}

void digit_products(Index n, Index blocks, const DigitBlock* block, Index queries, const std::int32_t* found,
                    const std::uint8_t* wanted, int count, const ScaledRows& rows, real* out, Index stride) {
  const auto run = count == 1 ? products<8, 1> : count == 2 ? products<8, 2> : products<4, 3>;
  for_each_group<digits_of_8_bits.together>(
      blocks, queries, wanted, out, stride,
      [&](Index b, Index g, Index begin, Index those, const std::int32_t* at, real* to) {
        run({n, block[b].points + g * digits_of_8_bits.group(n), block[b].sums + g * group_size, found + begin, rows,
             to, stride},
            at, at + those);
      });
}

constexpr Kernels with_byte_products(Kernels kernels) {
  kernels.digits = digits_of_8_bits;
  kernels.round_to_digits = round_to_digits<xsimd::avx512bw, digits_of_8_bits>;
  kernels.interleave_bytes = interleave_bytes;
  kernels.digit_products = digit_products;
  return kernels;
}

}  // namespace

constinit const Kernels vnni_kernels = with_byte_products(table<xsimd::avx512bw>(Level::vnni));

}  // namespace engine::simd
