// AVX-512 with VNNI: the kernels of avx512.cpp, and byte products by vpdpbusd, which xsimd can't express.

// GCC's own AVX-512 header initialises a register with itself (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include "engine/simd/body.inl"
#include "engine/simd/bytes.inl"
#include "engine/simd/digits.inl"
#include "engine/simd/term512.inl"

namespace engine::simd {

namespace {

constexpr Index four_bytes = block_size * 4;

// A block: a list of the fours of coordinates that are not 0 for all points, then these. Keeps them.
void compress_block(Index n, std::uint8_t* block) {
  auto* const list = reinterpret_cast<std::int32_t*>(block);
  std::uint8_t* const fours = block + digits_of_8_bits.list(n);
  std::int32_t kept = 0;
  for (std::int32_t four = 0; four < digits_of_8_bits.padded(n) / 4; ++four) {
    __m512i any = _mm512_setzero_si512();
    for (Index v = 0; v < vectors; ++v) {
      const __m512i part = _mm512_load_si512(fours + four * four_bytes + v * 64);
      _mm512_store_si512(fours + kept * four_bytes + v * 64, part);
      any = _mm512_or_si512(any, part);
    }
    list[1 + kept] = four;
    kept += _mm512_test_epi32_mask(any, any) != 0;
  }
  list[0] = kept;
}

void interleave_bytes(Index n, const std::uint8_t* const* rows, std::uint8_t* block, real* sums) {
  interleave(n, rows, four_bytes, 64, block + digits_of_8_bits.list(n), sums);
  compress_block(n, block);
}

// One row of digits meets the block's four vectors: 24 sums of six rows fill the registers.
template <int queries, int digits>
void products_of(Index n, const std::uint8_t* block, const real* sums, const std::int32_t* found,
                 const std::int8_t* query, const real* scale, const real* shift, const real* slope, real* out,
                 Index stride) {
  constexpr int rows = queries * digits;
  const std::int8_t* digit_of[rows];
  for (int r = 0; r < rows; ++r)
    digit_of[r] = query + found[r / digits] * digits_of_8_bits.row(n) + r % digits * digits_of_8_bits.plane(n);
  // Unrolled at once, so that the sums become registers.
  __m512i sum[rows][vectors];
#pragma GCC unroll 6
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) sum[r][v] = _mm512_setzero_si512();
  const auto* const list = reinterpret_cast<const std::int32_t*>(block);
  const std::uint8_t* const fours = block + digits_of_8_bits.list(n);
  for (Index four = 0; four < list[0]; ++four) {
    const Index k = list[1 + four] * 4;
    __m512i point[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) point[v] = _mm512_load_si512(fours + four * four_bytes + v * 64);
#pragma GCC unroll 6
    for (int r = 0; r < rows; ++r) {
      int word;
      __builtin_memcpy(&word, digit_of[r] + k, sizeof(word));
      const __m512i digit = _mm512_set1_epi32(word);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) add_products(sum[r][v], point[v], digit);
    }
  }
#pragma GCC unroll 6
  for (int q = 0; q < queries; ++q)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      __m512i of_digits[digits];
#pragma GCC unroll 4
      for (int s = 0; s < digits; ++s) of_digits[s] = sum[q * digits + s][v];
      write_products(of_digits, scale[found[q]], shift[found[q]], slope[found[q]], sums + v * lanes,
                     out + q * stride + v * lanes);
    }
}

template <int digits>
void products(Index n, const std::uint8_t* block, const real* sums, Index queries, const std::int32_t* found,
              const std::int8_t* query, const real* scale, const real* shift, const real* slope, real* out,
              Index stride) {
  constexpr int group = 6 / digits;
  Index q = 0;
  for (; q + group <= queries; q += group)
    products_of<group, digits>(n, block, sums, found + q, query, scale, shift, slope, out + q * stride, stride);
  for (; q < queries; ++q)
    products_of<1, digits>(n, block, sums, found + q, query, scale, shift, slope, out + q * stride, stride);
}

void digit_products(Index n, Index blocks, const DigitBlock* block, Index queries, const std::int32_t* found, int count,
                    const std::int8_t* query, const real* scale, const real* shift, const real* slope, real* out,
                    Index stride) {
  const auto run = count == 1 ? products<1> : count == 2 ? products<2> : products<3>;
  for (Index b = 0; b < blocks; ++b)
    run(n, block[b].points, block[b].sums, queries, found, query, scale, shift, slope, out + b * block_size, stride);
}

// Points that stand apart are read where they are, a few together so that sums do not wait for one another.
template <int digits, int points>
void sums_of(Index n, const std::int8_t* query, const std::uint8_t* rows, const std::int32_t* found, double* out) {
  constexpr Index step = 64;
  __m512i sum[points][digits];
#pragma GCC unroll 4
  for (int p = 0; p < points; ++p)
#pragma GCC unroll 3
    for (int s = 0; s < digits; ++s) sum[p][s] = _mm512_setzero_si512();
  for (Index k = 0; k < n; k += step) {
    const __mmask64 present = n - k < step ? (__mmask64{1} << (n - k)) - 1 : ~__mmask64{0};
    __m512i digit[digits];
#pragma GCC unroll 3
    for (int s = 0; s < digits; ++s)
      digit[s] = _mm512_maskz_loadu_epi8(present, query + s * digits_of_8_bits.plane(n) + k);
#pragma GCC unroll 4
    for (int p = 0; p < points; ++p) {
      const __m512i point = _mm512_maskz_loadu_epi8(present, rows + found[p] * n + k);
#pragma GCC unroll 3
      for (int s = 0; s < digits; ++s) add_products(sum[p][s], point, digit[s]);
    }
  }
#pragma GCC unroll 4
  for (int p = 0; p < points; ++p) {
    double total = 0;
#pragma GCC unroll 3
    for (int s = 0; s < digits; ++s) total = 256 * total + _mm512_reduce_add_epi32(sum[p][s]);
    out[p] = total;
  }
}

template <int digits>
void sums_apart(Index n, const std::int8_t* query, const std::uint8_t* rows, Index points, const std::int32_t* found,
                double* out) {
  constexpr Index together = 4;
  for (; points >= together; points -= together, found += together, out += together)
    sums_of<digits, together>(n, query, rows, found, out);
  if (points == 3) sums_of<digits, 3>(n, query, rows, found, out);
  if (points == 2) sums_of<digits, 2>(n, query, rows, found, out);
  if (points == 1) sums_of<digits, 1>(n, query, rows, found, out);
}

void digit_sums(Index n, const std::int8_t* query, int count, const std::uint8_t* rows, Index points,
                const std::int32_t* found, double* out) {
  const auto run = count == 1 ? sums_apart<1> : count == 2 ? sums_apart<2> : sums_apart<3>;
  run(n, query, rows, points, found, out);
}

constexpr Kernels with_byte_products(Kernels kernels) {
  kernels.digits = digits_of_8_bits;
  kernels.round_to_digits = round_to_digits<xsimd::avx512bw, digits_of_8_bits>;
  kernels.interleave_bytes = interleave_bytes;
  kernels.digit_products = digit_products;
  kernels.digit_sums = digit_sums;
  return kernels;
}

}  // namespace

constinit const Kernels vnni_kernels = with_byte_products(table<xsimd::avx512bw>(Level::vnni));

}  // namespace engine::simd
