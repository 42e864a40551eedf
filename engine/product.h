#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/ops/matmul.h"
#include "engine/parallel.h"
#include "engine/pool.h"
#include "engine/real.h"
#include "engine/simd/bf16.h"

namespace engine {

/// A piece of a product's result: rows i to i + rows - 1, columns j to j + columns - 1.
struct ProductTile {
  std::int64_t i, rows, j, columns;
};

/// Calls body(tile) on all threads for the tiles that a product [m, n] is shared out in. They depend on m and n alone,
/// and the inner dimension is never split: every element is one sum, whatever the number of threads.
template <class Body>
void for_product_tiles(std::int64_t m, std::int64_t n, const Body& body) {
  if (m == 0 || n == 0) return;
  const auto ceil_div = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
  // The length of the fewest equal pieces of at most `longest` that cover a length.
  const auto piece = [&](std::int64_t length, std::int64_t longest) {
    return ceil_div(length, ceil_div(length, longest));
  };
  // The largest tiles lose at most 5% to OpenBLAS's packing against the best measured; products of a batch of 200 are
  // cut finer, to share them out.
  const std::int64_t rows = piece(m, 256);
  std::int64_t columns = piece(n, 512);
  while (columns > 128 && ceil_div(m, rows) * ceil_div(n, columns) < 8) columns = ceil_div(columns, 2);
  const std::int64_t tile_rows = ceil_div(m, rows), tiles = tile_rows * ceil_div(n, columns);
  parallel_for(tiles, 1, [&](std::int64_t tile, std::int64_t) {
    const std::int64_t i = tile % tile_rows * rows, j = tile / tile_rows * columns;
    body(ProductTile{i, std::min(rows, m - i), j, std::min(columns, n - j)});
  });
}

/// Where op(matrix) has its element (i, j), for rows `stride` apart.
inline const real* element(const real* matrix, Transpose transpose, std::int64_t stride, std::int64_t i,
                           std::int64_t j) {
  return transpose == Transpose::yes ? matrix + j * stride + i : matrix + i * stride + j;
}

/// Whether this build and CPU have products of bfloat16 numbers.
bool has_bf16_products();

/// While it lives, matmul() and linear() in this thread, and their gradients, round the numbers that they multiply to
/// bfloat16 (8 significant bits) and add the products up in float: up to twice as fast. Throws Error where
/// !has_bf16_products().
class Bf16Products {
 public:
  Bf16Products();
  ~Bf16Products();
  Bf16Products(const Bf16Products&) = delete;
  Bf16Products& operator=(const Bf16Products&) = delete;

 private:
  bool outer_;
};

/// Whether such an object lives in this thread.
bool bf16_products_on();

/// The product op(A) op(B) of matrices, row-major: op(A) is [m, k], op(B) [k, n]; lda and ldb are the lengths of the
/// stored rows. In the precision of the moment: see Bf16Products. A and B must outlive it.
class Product {
 public:
  Product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const real* a,
          std::int64_t lda, const real* b, std::int64_t ldb);

  /// Calls body(tile) for each tile on all threads.
  template <class Body>
  void for_each_tile(const Body& body) const {
    if (!bf16_) return for_product_tiles(m_, n_, body);
    const std::int64_t row_blocks = (m_ + bf16_rows - 1) / bf16_rows;
    parallel_for(row_blocks * panels_, 1, [&](std::int64_t tile, std::int64_t) {
      const std::int64_t i = tile % row_blocks * bf16_rows, j = tile / row_blocks * panel_columns;
      body(ProductTile{i, std::min(bf16_rows, m_ - i), j, std::min(panel_columns, n_ - j)});
    });
  }

  /// The tile's elements of C = op(A) op(B), or of C + op(A) op(B) if `add`; c points to the whole of C [m, n].
  void compute(const ProductTile& tile, bool add, real* c) const;

 private:
  static constexpr std::int64_t bf16_rows = 192;  // whole tiles, and whole sixes of rows
  static constexpr std::int64_t panel_columns = simd::panel_columns;

  void round_a();
  void round_b();

  Transpose transpose_a_, transpose_b_;
  std::int64_t m_, n_, k_;
  const real* a_;
  std::int64_t lda_;
  const real* b_;
  std::int64_t ldb_;
  // In bfloat16: A as [m, pairs of k], B in panels of columns, [pairs of k, columns].
  bool bf16_;
  std::int64_t pairs_ = 0, panels_ = 0;
  Buffer rounded_a_, rounded_b_;
};

}  // namespace engine
