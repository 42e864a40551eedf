#include "engine/product.h"

#include "engine/blas.h"
#include "engine/error.h"
#include "engine/simd/bf16.h"

namespace engine {

namespace {

using simd::Bf16Pair;

bool& bf16_products() {
  thread_local bool on = false;
  return on;
}

Buffer pairs_buffer(std::int64_t count) {
  return Buffer(static_cast<std::size_t>(count) * sizeof(Bf16Pair));
}

Bf16Pair* pairs_of(const Buffer& buffer) {
  return static_cast<Bf16Pair*>(buffer.data());
}

/// The pairs of consecutive rows 2 pair and 2 pair + 1 of a matrix with `count` rows, columns j to j + columns - 1.
void pair_rows(const real* matrix, std::int64_t stride, std::int64_t count, std::int64_t pair, std::int64_t j,
               std::int64_t columns, Bf16Pair* out) {
  static constexpr real zeros[simd::panel_columns] = {};
  const real* row = matrix + 2 * pair * stride + j;
  simd::bf16_kernels()->pair(columns, row, 2 * pair + 1 < count ? row + stride : zeros, out);
}

}  // namespace

bool has_bf16_products() {
  return simd::bf16_kernels() != nullptr;
}

bool bf16_products_on() {
  return bf16_products();
}

Bf16Products::Bf16Products() : outer_(bf16_products()) {
  require(has_bf16_products(), "[bf16] this program or this CPU has no products of bfloat16 numbers (AVX-512 BF16)");
  bf16_products() = true;
}

Bf16Products::~Bf16Products() {
  bf16_products() = outer_;
}

Product::Product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
                 const real* a, std::int64_t lda, const real* b, std::int64_t ldb)
    : transpose_a_(transpose_a),
      transpose_b_(transpose_b),
      m_(m),
      n_(n),
      k_(k),
      a_(a),
      lda_(lda),
      b_(b),
      ldb_(ldb),
      bf16_(bf16_products() && m > 0 && n > 0 && k > 0) {
  if (!bf16_) return;
  pairs_ = (k + 1) / 2;
  panels_ = (n + panel_columns - 1) / panel_columns;
  round_a();
  round_b();
}

void Product::round_a() {
  constexpr std::int64_t rows_at_once = simd::panel_columns;
  const simd::Bf16Kernels& kernels = *simd::bf16_kernels();
  rounded_a_ = pairs_buffer(m_ * pairs_);
  Bf16Pair* rounded = pairs_of(rounded_a_);
  parallel_for(m_, rows_at_once, [&](std::int64_t begin, std::int64_t end) {
    if (transpose_a_ == Transpose::no) {
      for (std::int64_t i = begin; i < end; ++i) kernels.round(k_, a_ + i * lda_, rounded + i * pairs_);
      return;
    }
    const Buffer buffer = pairs_buffer(pairs_ * rows_at_once);
    Bf16Pair* columns = pairs_of(buffer);
    for (std::int64_t p = 0; p < pairs_; ++p)
      pair_rows(a_, lda_, k_, p, begin, end - begin, columns + p * rows_at_once);
    kernels.transpose(pairs_, end - begin, columns, rows_at_once, rounded + begin * pairs_, pairs_);
  });
}

void Product::round_b() {
  const simd::Bf16Kernels& kernels = *simd::bf16_kernels();
  rounded_b_ = pairs_buffer(panels_ * panel_columns * pairs_);
  Bf16Pair* rounded = pairs_of(rounded_b_);
  const auto panel_width = [&](std::int64_t j) { return (std::min(panel_columns, n_ - j) + 15) / 16 * 16; };
  if (transpose_b_ == Transpose::no) {
    parallel_for(pairs_, 32, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t p = begin; p < end; ++p)
        for (std::int64_t j = 0; j < n_; j += panel_columns)
          pair_rows(b_, ldb_, k_, p, j, std::min(panel_columns, n_ - j), rounded + j * pairs_ + p * panel_width(j));
    });
    return;
  }
  parallel_for(n_, panel_columns, [&](std::int64_t begin, std::int64_t end) {
    const Buffer buffer = pairs_buffer(panel_columns * pairs_);
    Bf16Pair* rows = pairs_of(buffer);
    for (std::int64_t j = begin; j < end; ++j) kernels.round(k_, b_ + j * ldb_, rows + (j - begin) * pairs_);
    kernels.transpose(end - begin, pairs_, rows, pairs_, rounded + begin * pairs_, panel_width(begin));
  });
}

void Product::compute(const ProductTile& tile, bool add, real* c) const {
  real* out = c + tile.i * n_ + tile.j;
  if (!bf16_)
    return gemm_single(transpose_a_, transpose_b_, tile.rows, tile.columns, k_, 1,
                       element(a_, transpose_a_, lda_, tile.i, 0), lda_, element(b_, transpose_b_, ldb_, 0, tile.j),
                       ldb_, add ? 1 : 0, out, n_);
  simd::bf16_kernels()->multiply(tile.rows, tile.columns, pairs_, pairs_of(rounded_a_) + tile.i * pairs_,
                                 pairs_of(rounded_b_) + tile.j * pairs_, add, out, n_);
}

}  // namespace engine
