// AVX-512 with BF16: products by vdpbf16ps, which xsimd can't express. Not in double.

#include "engine/simd/bf16.h"

#include <algorithm>

// GCC's own AVX-512 header initialises a register with itself (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include "engine/simd/levels.h"
#include "engine/simd/transpose_words.inl"

namespace engine::simd {

namespace {

using Index = std::int64_t;

/// The first n lanes, of at most 16.
__mmask16 first(Index n) {
  return n >= lanes ? __mmask16{0xffff} : static_cast<__mmask16>((1u << std::max<Index>(n, 0)) - 1);
}

__m512i rounded(__m512 low, __m512 high) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
}

void round(Index n, const real* x, Bf16Pair* y) {
  for (Index i = 0; i < n; i += 2 * lanes) {
    const __m512 low = _mm512_maskz_loadu_ps(first(n - i), x + i);
    const __m512 high = _mm512_maskz_loadu_ps(first(n - i - lanes), x + i + lanes);
    _mm512_mask_storeu_epi32(y + i / 2, first((n - i + 1) / 2), rounded(low, high));
  }
}

void pair(Index n, const real* x, const real* z, Bf16Pair* y) {
  // The halves of a rounded vector, x's 16 and z's 16, taken in turns.
  alignas(64) constexpr std::uint16_t turns[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                   8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i order = _mm512_load_si512(turns);
  for (Index i = 0; i < n; i += lanes) {
    const __mmask16 present = first(n - i);
    const __m512i halves = rounded(_mm512_maskz_loadu_ps(present, x + i), _mm512_maskz_loadu_ps(present, z + i));
    _mm512_mask_storeu_epi32(y + i, present, _mm512_permutexvar_epi16(order, halves));
  }
}

void transpose(Index rows, Index columns, const Bf16Pair* x, Index stride_x, Bf16Pair* y, Index stride_y) {
  for (Index i = 0; i < rows; i += lanes)
    for (Index j = 0; j < columns; j += lanes) {
      __m512i word[lanes];
      for (Index r = 0; r < lanes; ++r)
        word[r] = _mm512_maskz_loadu_epi32(i + r < rows ? first(columns - j) : __mmask16{0},
                                           x + std::min(i + r, rows - 1) * stride_x + j);
      transpose_words(word);
#pragma GCC unroll 16
      for (int c = 0; c < lanes; ++c) {
        if (j + c >= columns) break;
        _mm512_mask_storeu_epi32(y + (j + c) * stride_y + i, first(rows - i), word[c]);
      }
    }
}

// sum_i += two products of bfloat16 numbers, in each of 16 lanes i. GCC 12 moves sums through memory around the
// intrinsic for their bytes.
void add_products(__m512& sum, __m512i a, __m512i b) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
}

// Six rows of c, four vectors wide, fill the registers with 24 sums.
template <int rows, int vectors>
void multiply_rows(Index columns, Index pairs, const Bf16Pair* a, const Bf16Pair* b, bool add, real* c, Index stride) {
  const __mmask16 last = first(columns - (vectors - 1) * lanes);
  __m512 sum[rows][vectors];
#pragma GCC unroll 6
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) sum[r][v] = _mm512_setzero_ps();
  for (Index k = 0; k < pairs; ++k) {
    __m512i right[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) right[v] = _mm512_loadu_si512(b + (k * vectors + v) * lanes);
#pragma GCC unroll 6
    for (int r = 0; r < rows; ++r) {
      const __m512i left = _mm512_set1_epi32(static_cast<int>(a[r * pairs + k]));
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) add_products(sum[r][v], left, right[v]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const __mmask16 mask = v + 1 < vectors ? __mmask16{0xffff} : last;
      real* out = c + r * stride + v * lanes;
      const __m512 before = add ? _mm512_maskz_loadu_ps(mask, out) : _mm512_setzero_ps();
      _mm512_mask_storeu_ps(out, mask, _mm512_add_ps(before, sum[r][v]));
    }
}

template <int vectors>
void multiply_panel(Index rows, Index columns, Index pairs, const Bf16Pair* a, const Bf16Pair* b, bool add, real* c,
                    Index stride) {
  Index r = 0;
  for (; r + 6 <= rows; r += 6)
    multiply_rows<6, vectors>(columns, pairs, a + r * pairs, b, add, c + r * stride, stride);
  for (; r < rows; ++r) multiply_rows<1, vectors>(columns, pairs, a + r * pairs, b, add, c + r * stride, stride);
}

void multiply(Index rows, Index columns, Index pairs, const Bf16Pair* a, const Bf16Pair* b, bool add, real* c,
              Index stride) {
  const auto run = columns <= lanes       ? multiply_panel<1>
                   : columns <= 2 * lanes ? multiply_panel<2>
                   : columns <= 3 * lanes ? multiply_panel<3>
                                          : multiply_panel<4>;
  run(rows, columns, pairs, a, b, add, c, stride);
}

}  // namespace

constinit const Bf16Kernels avx512_bf16_kernels = {round, pair, transpose, multiply};

}  // namespace engine::simd
