// Sums of products of small matrices, which convolutions are made of. Part of body.inl.
#pragma once

#include <algorithm>

#include "engine/simd/vectors.inl"

namespace engine::simd {
namespace {

// A tile of the result stays in registers over the terms of a pass, and is added to y if `add`. Eight rows by three
// vectors fill AVX-512's 32 registers, four by three the 16 of SSE and AVX2.
template <class Arch>
constexpr int tile_rows = width<Arch> * sizeof(real) == 64 ? 8 : 4;

template <class Arch, int rows, int vectors>
void product_tile(Index count, const Term* terms, const ProductShape& shape, Index stride_a, const real* a,
                  const real* x, bool add, real* y) {
  Batch<Arch> sum[rows][vectors];
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v)
      sum[r][v] = add ? load<Arch>(y + r * shape.stride_y + v * width<Arch>) : Batch<Arch>(real(0));
  for (const Term* term = terms; term < terms + count; ++term) {
    const real *left = a + term->a, *right = x + term->x;
    for (Index k = 0; k < shape.depth; ++k, left += stride_a, right += shape.stride_x) {
      Batch<Arch> lanes[vectors];
      for (int v = 0; v < vectors; ++v) lanes[v] = load<Arch>(right + v * width<Arch>);
      for (int r = 0; r < rows; ++r) {
        const Batch<Arch> factor(left[r]);
        for (int v = 0; v < vectors; ++v) sum[r][v] = xsimd::fma(factor, lanes[v], sum[r][v]);
      }
    }
  }
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) sum[r][v].store_unaligned(y + r * shape.stride_y + v * width<Arch>);
}

// The rows from `row` to `end` in tiles of `rows`, what is left in tiles of half as many.
template <class Arch, int rows, int vectors>
void product_rows(Index row, Index end, Index count, const Term* terms, const ProductShape& shape, Index stride_a,
                  const real* a, const real* x, bool add, real* y) {
  for (; row + rows <= end; row += rows)
    product_tile<Arch, rows, vectors>(count, terms, shape, stride_a, a + row, x, add, y + row * shape.stride_y);
  if constexpr (rows > 1) product_rows<Arch, rows / 2, vectors>(row, end, count, terms, shape, stride_a, a, x, add, y);
}

// All rows of a few lanes: as much of x at a time as stays in the cache nearest to the core while all rows pass.
template <class Arch, int vectors>
void product_stripe(Index count, const Term* terms, const ProductShape& shape, const real* a, const real* x, real* y) {
  constexpr Index most_depth = 128;
  const Index together = shape.depth < most_depth ? most_depth / std::max<Index>(shape.depth, 1) : 1;
  Index first = 0;
  do {
    const Index here = std::min(together, count - first);
    Index k = 0;
    do {
      ProductShape piece = shape;
      piece.depth = std::min(most_depth, shape.depth - k);
      for (Index row = 0; row < shape.rows; row += row_block) {
        const Index rows = std::min(row_block, shape.rows - row);
        product_rows<Arch, tile_rows<Arch>, vectors>(0, rows, here, terms + first, piece, rows,
                                                     a + row * shape.depth + k * rows, x + k * shape.stride_x,
                                                     first > 0 || k > 0, y + row * shape.stride_y);
      }
      k += piece.depth;
    } while (k < shape.depth);
    first += here;
  } while (first < count);
}

template <class Arch>
void sum_products(Index count, const Term* terms, const ProductShape& shape, const real* a, const real* x, real* y) {
  constexpr Index w = width<Arch>;
  static_assert(least_lanes >= w);
  for (Index lane = 0; lane < shape.lanes;) {
    // Three vectors at a time, but four as two and two: one alone would wait for its additions.
    const Index left = (shape.lanes - lane + w - 1) / w, most = left == 4 ? 2 : left < 3 ? left : 3;
    const Index vectors = most * w <= shape.lanes ? most : most - 1;
    // Where the lanes end within a vector, it begins earlier and makes some of them twice, to the same bits.
    const Index begin = lane + vectors * w <= shape.lanes ? lane : shape.lanes - vectors * w;
    const auto stripe = vectors == 3   ? product_stripe<Arch, 3>
                        : vectors == 2 ? product_stripe<Arch, 2>
                                       : product_stripe<Arch, 1>;
    stripe(count, terms, shape, a, x + begin, y + begin);
    lane = begin + vectors * w;
  }
}

}  // namespace
}  // namespace engine::simd
