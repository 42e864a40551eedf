#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "engine/ops/matmul.h"
#include "engine/parallel.h"
#include "engine/real.h"

namespace engine {

/// C = alpha op(A) op(B) + beta C, row-major: op(A) is [m, k], op(B) [k, n], C [m, n]; lda, ldb and ldc are the lengths
/// of the stored rows. Runs on all threads over fixed tiles of C, each computed by one single-threaded BLAS call, so
/// that the bits of the result do not depend on the number of threads. With beta = 0, C need not be initialised.
void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, real alpha,
          const real* a, std::int64_t lda, const real* b, std::int64_t ldb, real beta, real* c, std::int64_t ldc);

/// The tiles of a product [m, n] that gemm() gives to its threads: calls body(i, rows, j, columns) for each, on all
/// threads. They depend on m and n alone. The inner dimension is never split, so that every element is one sum.
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
    body(i, std::min(rows, m - i), j, std::min(columns, n - j));
  });
}

/// The same product as one BLAS call on the calling thread, for use inside a parallel_for.
void gemm_single(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
                 real alpha, const real* a, std::int64_t lda, const real* b, std::int64_t ldb, real beta, real* c,
                 std::int64_t ldc);

/// The kernels that OpenBLAS chose, e.g. "Cooperlake", and a one-line warning when they are below what the CPU has
/// (OPENBLAS_CORETYPE set to less, say), empty otherwise.
std::string blas_core();
std::string blas_warning();

}  // namespace engine
