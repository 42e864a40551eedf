// AMX: products by tiles, registers of up to 16 rows of 64 bytes, of which an instruction multiplies two.

#include <algorithm>

// GCC's own AVX-512 header initialises a register with itself (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include <immintrin.h>

#include "engine/simd/levels.h"

namespace engine::simd {

namespace {

using Index = std::int64_t;

constexpr Index tile_rows = 16, tile_bytes = 64, lanes = 16;

// Two groups of rows meet two vectors of columns: their sums are the tiles 0 to 3, group after group, the rows of the
// left matrix 4 and 5, the columns of the right one 6 and 7.
struct alignas(64) Shapes {
  std::uint8_t palette = 1, start = 0, reserved[14] = {};
  std::uint16_t bytes[16] = {};
  std::uint8_t rows[16] = {};

  Shapes(Index first, Index second) {
    const auto shape = [&](int tile, Index count) {
      rows[tile] = static_cast<std::uint8_t>(count);
      bytes[tile] = count > 0 ? tile_bytes : 0;
    };
    for (const int tile : {0, 1, 4}) shape(tile, first);
    for (const int tile : {2, 3, 5}) shape(tile, second);
    for (const int tile : {6, 7}) shape(tile, tile_rows);
  }
};

// In place of the intrinsics, of which GCC 12's don't tell that they read and write memory.
void start_tiles(const Shapes& shapes) {
  asm volatile("ldtilecfg %0" : : "m"(shapes) : "memory");
}

void end_tiles() {
  asm volatile("tilerelease" : : : "memory");
}

template <int tile>
void clear() {
  asm volatile("tilezero %%tmm%c0" : : "i"(tile) : "memory");
}

template <int tile>
void load(const void* from, Index stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(tile) : "memory");
}

template <int tile>
void store(void* to, Index stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(tile) : "memory");
}

template <int sums, int left, int right>
void add_bf16_products() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sums), "i"(left), "i"(right) : "memory");
}

// Adds the products of one step: 64 bytes of each row of the left matrix, 16 rows of the right one.
template <int groups, int vectors>
void add_step(const void* const (&left)[2], Index left_stride, const void* right, Index right_stride) {
  load<4>(left[0], left_stride);
  if constexpr (groups == 2) load<5>(left[1], left_stride);
  load<6>(right, right_stride);
  if constexpr (vectors == 2) load<7>(static_cast<const char*>(right) + tile_bytes, right_stride);
  add_bf16_products<0, 4, 6>();
  if constexpr (vectors == 2) add_bf16_products<1, 4, 7>();
  if constexpr (groups == 2) add_bf16_products<2, 5, 6>();
  if constexpr (groups == 2 && vectors == 2) add_bf16_products<3, 5, 7>();
}

// c [rows, columns] of a product, rows <= 32, columns <= 32; a points to its rows, b to its columns, `width` apart.
template <int groups, int vectors>
void multiply_piece(Index rows, Index columns, Index pairs, const Bf16Pair* a, const Bf16Pair* b, Index width, bool add,
                    real* c, Index stride) {
  clear<0>();
  if constexpr (vectors == 2) clear<1>();
  if constexpr (groups == 2) clear<2>();
  if constexpr (groups == 2 && vectors == 2) clear<3>();
  const Index whole = pairs / lanes * lanes, left_over = pairs - whole;
  for (Index k = 0; k < whole; k += lanes)
    add_step<groups, vectors>({a + k, a + tile_rows * pairs + k}, pairs * 4, b + k * width, width * 4);
  if (left_over > 0) {
    // Filled up with zeros, as a tile would reach beyond.
    alignas(64) Bf16Pair left[groups * tile_rows][lanes] = {}, right[lanes][vectors * lanes] = {};
    for (Index r = 0; r < rows; ++r)
      for (Index k = 0; k < left_over; ++k) left[r][k] = a[r * pairs + whole + k];
    for (Index k = 0; k < left_over; ++k)
      for (Index j = 0; j < vectors * lanes; ++j) right[k][j] = b[(whole + k) * width + j];
    add_step<groups, vectors>({left[0], left[(groups - 1) * tile_rows]}, sizeof(left[0]), right[0], sizeof(right[0]));
  }
  alignas(64) float sums[groups * tile_rows][vectors * lanes];
  store<0>(sums[0], sizeof(sums[0]));
  if constexpr (vectors == 2) store<1>(&sums[0][lanes], sizeof(sums[0]));
  if constexpr (groups == 2) store<2>(sums[tile_rows], sizeof(sums[0]));
  if constexpr (groups == 2 && vectors == 2) store<3>(&sums[tile_rows][lanes], sizeof(sums[0]));
  for (Index r = 0; r < rows; ++r)
    for (Index v = 0; v < vectors; ++v) {
      const Index present = std::min(columns - v * lanes, lanes);
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
      run(count, std::min(columns - j, 2 * lanes), pairs, a + r * pairs, b + j, width, add, c + r * stride + j, stride);
    }
  }
  end_tiles();
}

}  // namespace

Bf16Kernels with_tiles(Bf16Kernels kernels) {
  kernels.multiply = multiply;
  return kernels;
}

}  // namespace engine::simd
