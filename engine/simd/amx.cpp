// AMX: products of bfloat16 numbers, of bytes and digits, and those of bounds, by tiles.

#include <algorithm>

// GCC's own AVX-512 header initialises a register with itself (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include "engine/simd/bytes.inl"
#include "engine/simd/levels.h"
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

// A block: a list of the steps of 64 coordinates that are not 0 for all points, as those at an image's upper and lower
// border often are, then tiles of 16 fours of coordinates of 16 points, all tiles of the same points one after the
// other.
void interleave_bytes(Index n, const std::uint8_t* const* rows, std::uint8_t* block, real* sums) {
  const Index points_bytes = lanes * digits_of_8_bits.padded(n);
  std::uint8_t* const points = block + digits_of_8_bits.list(n);
  interleave(n, rows, tile_bytes, points_bytes, points, sums);
  auto* const list = reinterpret_cast<std::int32_t*>(block);
  list[0] = 0;
  for (Index k = 0; k < digits_of_8_bits.padded(n); k += tile_bytes) {
    __m512i any = _mm512_setzero_si512();
    for (Index v = 0; v < vectors; ++v)
      for (Index row = 0; row < tile_rows; ++row)
        any = _mm512_or_si512(any, _mm512_load_si512(points + v * points_bytes + k * lanes + row * tile_bytes));
    if (_mm512_test_epi32_mask(any, any) != 0) list[++list[0]] = static_cast<std::int32_t>(k);
  }
}

// The sums of one digit of each of some queries with a block.
using Sums = std::int32_t[tile_rows][block_size];

// Where steps of 64 coordinates begin, in one or two groups of rows and in a block.
template <int groups>
struct Steps {
  Index count;
  const std::int8_t* rows[groups];
  const std::int32_t* in_rows;
  Index row_stride;
  const std::uint8_t* points;
  const std::int32_t* in_points;
  Index points_bytes;
};

// The sums of one or two groups, or what is added to them.
template <int groups>
void sum_up(bool add, const Steps<groups>& steps, Sums* sums) {
  constexpr Index stride = sizeof(sums[0][0]);
  for (Index l = 0; l < block_size; l += 2 * lanes) {
    if (add)
      load_sums<groups, 2>(&sums[0][0][l], stride);
    else
      clear_sums<groups, 2>();
    const std::uint8_t* const points = steps.points + l / lanes * steps.points_bytes;
    for (Index step = 0; step < steps.count; ++step) {
      const Index in_row = steps.in_rows[step], in_points = steps.in_points[step] * lanes;
      add_step<OfDigitsAndBytes, groups, 2>({steps.rows[0] + in_row, steps.rows[groups - 1] + in_row}, steps.row_stride,
                                            {points + in_points, points + steps.points_bytes + in_points}, tile_bytes);
    }
    store_sums<groups, 2>(&sums[0][0][l], stride);
  }
}

// Queries are cut into parts of as many, the last one perhaps with some of the one before. Groups are the digits of a
// part, or of a single digit those of two parts.
template <int digits>
void products(Index n, const std::uint8_t* block, const real* sums, Index queries, const std::int32_t* found,
              const std::int8_t* query, const real* scale, const real* shift, const real* slope, real* out,
              Index stride) {
  constexpr int parts_at_once = digits == 1 ? 2 : 1, most_groups = parts_at_once * digits;
  constexpr Index most_copied = 16;  // steps
  constexpr std::int32_t in_copied[most_copied] = {0,   64,  128, 192, 256, 320, 384, 448,
                                                   512, 576, 640, 704, 768, 832, 896, 960};
  const Digits& layout = digits_of_8_bits;
  const auto* const list = reinterpret_cast<const std::int32_t*>(block);
  const Index parts = (queries + tile_rows - 1) / tile_rows, count = (queries + parts - 1) / parts;
  const auto first = [&](Index p) { return std::min(p * count, queries - count); };
  start_tiles(Shapes(count, count));
  for (Index p = 0; p < parts; p += parts_at_once) {
    const int groups = static_cast<int>(std::min<Index>(parts - p, parts_at_once)) * digits;
    const auto row = [&](int g, Index r) {
      return query + found[first(p + g / digits) + r] * layout.row(n) + g % digits * layout.plane(n);
    };
    // Rows that are not at the same distance from each other, as tiles need them, are copied.
    const Index apart = count > 1 ? row(0, 1) - row(0, 0) : tile_bytes;
    bool even = apart > 0;
    for (int g = 0; g < groups; g += digits)
      for (Index r = 1; r < count; ++r) even = even && row(g, r) - row(g, r - 1) == apart;
    alignas(64) std::int8_t copied[most_groups][tile_rows][most_copied * tile_bytes];
    alignas(64) Sums of_groups[most_groups];
    const Index most = even ? std::max(list[0], 1) : most_copied;
    for (Index begin = 0; begin == 0 || begin < list[0]; begin += most) {
      const std::int32_t* const steps = list + 1 + begin;
      const Index length = std::min<Index>(most, list[0] - begin);
      const std::int8_t* left[most_groups];
      for (int g = 0; g < groups; ++g) {
        left[g] = even ? row(g, 0) : copied[g][0];
        for (Index r = 0; r < count && !even; ++r)
          for (Index step = 0; step < length; ++step)
            _mm512_store_si512(&copied[g][r][step * tile_bytes], _mm512_loadu_si512(row(g, r) + steps[step]));
      }
      const std::int32_t* const in_rows = even ? steps : in_copied;
      const Index row_stride = even ? apart : sizeof(copied[0][0]);
      const std::uint8_t* const points = block + layout.list(n);
      const Index points_bytes = lanes * layout.padded(n);
      int g = 0;
      for (; g + 2 <= groups; g += 2)
        sum_up<2>(begin > 0, {length, {left[g], left[g + 1]}, in_rows, row_stride, points, steps, points_bytes},
                  of_groups + g);
      if (g < groups)
        sum_up<1>(begin > 0, {length, {left[g]}, in_rows, row_stride, points, steps, points_bytes}, of_groups + g);
    }
    for (int part = 0; part * digits < groups; ++part)
      for (Index r = 0; r < count; ++r) {
        const Index q = first(p + part) + r;
        for (Index l = 0; l < block_size; l += lanes) {
          __m512i of_digits[digits];
          for (int s = 0; s < digits; ++s) of_digits[s] = _mm512_load_si512(&of_groups[part * digits + s][r][l]);
          write_products(of_digits, scale[found[q]], shift[found[q]], slope[found[q]], sums + l, out + q * stride + l);
        }
      }
  }
  end_tiles();
}

void digit_products(Index n, const std::uint8_t* block, const real* sums, Index queries, const std::int32_t* found,
                    int count, const std::int8_t* query, const real* scale, const real* shift, const real* slope,
                    real* out, Index stride) {
  if (queries == 0) return;
  const auto run = count == 1 ? products<1> : count == 2 ? products<2> : products<3>;
  run(n, block, sums, queries, found, query, scale, shift, slope, out, stride);
}

}  // namespace

Kernels with_tiles(Kernels kernels) {
  kernels.level = Level::amx;
  kernels.digits.together = 256;  // the points stay there instead
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
