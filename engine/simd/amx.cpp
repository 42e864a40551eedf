// AMX: products of bfloat16 numbers, of bytes and digits, and those of bounds, by tiles.

#include <algorithm>

// GCC's own AVX-512 header initialises a register with itself (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include "engine/simd/levels.h"
#include "engine/simd/tiled_digits.inl"
#include "engine/simd/tiled_minima.inl"
#include "engine/simd/tiled_sums.inl"
#include "engine/simd/tiles.inl"

namespace engine::simd {

namespace {

// c [rows, columns] of a product, rows <= 32, columns <= 32; a points to its rows, b to its columns, `width` apart.
template <int groups, int vectors>
void multiply_piece(Index rows, Index columns, Index pairs, const Bf16Pair* a, const Bf16Pair* b, Index width, bool add,
                    real* c, Index stride) {
  clear_sums<groups, vectors>();
  const Index whole = pairs / lanes * lanes, left_over = pairs - whole;
  for (Index k = 0; k < whole; k += lanes)
    add_step<OfBf16, groups, vectors>({a + k, a + k + (groups - 1) * tile_rows * pairs}, pairs * 4,
                                      {b + k * width, b + k * width + (vectors - 1) * lanes}, width * 4);
  if (left_over > 0) {
    // Filled up with zeros, as a tile would reach beyond.
    alignas(64) Bf16Pair left[groups * tile_rows][lanes] = {}, right[lanes][vectors * lanes] = {};
    for (Index r = 0; r < rows; ++r)
      for (Index k = 0; k < left_over; ++k) left[r][k] = a[r * pairs + whole + k];
    for (Index k = 0; k < left_over; ++k)
      for (Index j = 0; j < vectors * lanes; ++j) right[k][j] = b[(whole + k) * width + j];
    add_step<OfBf16, groups, vectors>({left[0], left[(groups - 1) * tile_rows]}, sizeof(left[0]),
                                      {right[0], &right[0][(vectors - 1) * lanes]}, sizeof(right[0]));
  }
  alignas(64) float sums[groups * tile_rows][vectors * lanes];
  store_sums<groups, vectors>(sums, sizeof(sums[0]));
  for (Index r = 0; r < rows; ++r)
    for (Index v = 0; v < vectors; ++v) {
      const Index present = std::min<Index>(columns - v * lanes, lanes);
      const auto mask = static_cast<__mmask16>((1u << present) - 1);
      float* const out = c + r * stride + v * lanes;
      const __m512 before = add ? _mm512_maskz_loadu_ps(mask, out) : _mm512_setzero_ps();
      _mm512_mask_storeu_ps(out, mask, _mm512_add_ps(before, _mm512_load_ps(&sums[r][v * lanes])));
    }
}

void multiply(Index rows, Index columns, Index pairs, const Bf16Pair* a, const Bf16Pair* b, bool add, real* c,
              Index stride) {
  constexpr Index most = 2 * tile_rows;
  const Index width = (columns + lanes - 1) / lanes * lanes;
  for (Index r = 0; r < rows; r += most) {
    const Index count = std::min(most, rows - r), first = std::min(tile_rows, count);
    start_tiles(Shapes(first, count - first));
    for (Index j = 0; j < columns; j += 2 * lanes) {
      const bool both = columns - j > lanes;
      const auto run = count > tile_rows ? (both ? multiply_piece<2, 2> : multiply_piece<2, 1>)
                                         : (both ? multiply_piece<1, 2> : multiply_piece<1, 1>);
      run(count, std::min<Index>(columns - j, 2 * lanes), pairs, a + r * pairs, b + j, width, add, c + r * stride + j,
          stride);
    }
  }
  end_tiles();
}

}  // namespace

Kernels with_tiles(Kernels kernels) {
  kernels.level = Level::amx;
  kernels.digits.together = 256;  // the points stay there instead
  kernels.digits.by_groups = false;
  kernels.packed_points = packed_points;
  kernels.pack_points = pack_points;
  kernels.packed_queries = packed_queries;
  kernels.pack_queries = pack_queries;
  kernels.group_minima = group_minima;
  kernels.add_weighted_bytes = add_weighted_bytes;
  kernels.interleave_bytes = interleave_bytes;
  kernels.digit_products = digit_products;
  return kernels;
}

Bf16Kernels with_tiles(Bf16Kernels kernels) {
  kernels.multiply = multiply;
  return kernels;
}

}  // namespace engine::simd
