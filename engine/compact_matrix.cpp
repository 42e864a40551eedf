#include "engine/compact_matrix.h"

#include <algorithm>

#include "engine/blas.h"
#include "engine/simd/kernels.h"

namespace engine {

CompactMatrix::CompactMatrix(std::int64_t rows, std::int64_t columns)
    : rows_(rows),
      columns_(columns),
      groups_((rows + group_rows - 1) / group_rows),
      groups_buffer_(static_cast<std::size_t>(groups_) * sizeof(Group)),
      runs_buffer_(static_cast<std::size_t>(groups_ * (columns + 1) / 2 + 1) * sizeof(Run)) {}

std::optional<CompactMatrix> CompactMatrix::of(const Tensor& x) {
  const std::int64_t rows = x.dim(0), columns = x.dim(1);
  if (rows < group_rows) return std::nullopt;
  CompactMatrix compact(rows, columns);
  parallel_for(compact.groups_, 1, [&](std::int64_t g, std::int64_t) { compact.find_runs(x, g); });
  std::int64_t size = 0;
  for (std::int64_t g = 0; g < compact.groups_; ++g) {
    compact.group(g).values = size;
    size += compact.rows_of(g) * compact.group(g).columns;
  }
  if (5 * size > 4 * x.size()) return std::nullopt;
  compact.values_buffer_ = Buffer(static_cast<std::size_t>(size) * sizeof(real));
  parallel_for(compact.groups_, 1, [&](std::int64_t g, std::int64_t) {
    real* value = compact.values(g);
    for (std::int64_t i = 0; i < compact.rows_of(g); ++i, value += compact.group(g).columns) {
      const real* row = x.data() + (g * group_rows + i) * columns;
      for (const Run* run = compact.runs(g); run != compact.runs(g) + compact.group(g).runs; ++run)
        std::copy_n(row + run->first, run->count, value + run->at);
    }
  });
  return compact;
}

void CompactMatrix::find_runs(const Tensor& x, std::int64_t g) const {
  const Buffer buffer(static_cast<std::size_t>(columns_) * sizeof(real));
  real* const used = static_cast<real*>(buffer.data());
  std::fill_n(used, columns_, real{0});
  for (std::int64_t i = g * group_rows; i < g * group_rows + rows_of(g); ++i) {
    const real* row = x.data() + i * columns_;
    for (std::int64_t k = 0; k < columns_; ++k) used[k] = row[k] != 0 ? real{1} : used[k];
  }
  Group& described = group(g);
  described.runs = described.columns = 0;
  for (std::int64_t k = 0; k < columns_; ++k) {
    if (used[k] == 0) continue;
    if (k == 0 || used[k - 1] == 0)
      runs(g)[described.runs++] = {static_cast<std::int32_t>(k), 0, static_cast<std::int32_t>(described.columns)};
    ++runs(g)[described.runs - 1].count;
    ++described.columns;
  }
}

void CompactMatrix::add_product(const ProductTile& tile, const Tensor& w, real* c) const {
  const std::int64_t g = tile.i / group_rows, columns = group(g).columns, n = w.dim(0);
  const Buffer buffer(static_cast<std::size_t>(tile.columns * columns) * sizeof(real));
  real* const its_columns = static_cast<real*>(buffer.data());
  for (std::int64_t j = 0; j < tile.columns; ++j)
    for (const Run* run = runs(g); run != runs(g) + group(g).runs; ++run)
      std::copy_n(w.data() + (tile.j + j) * columns_ + run->first, run->count, its_columns + j * columns + run->at);
  gemm_single(Transpose::no, Transpose::yes, tile.rows, tile.columns, columns, 1, values(g), columns, its_columns,
              columns, 1, c + tile.i * n + tile.j, n);
}

// The transpose of the result is added up, since there a column of X is a row.
Tensor CompactMatrix::product_from_left(const Tensor& left) const {
  const std::int64_t n = left.dim(1);
  Tensor result({n, columns_});
  constexpr std::int64_t most_columns = 512;
  const std::int64_t pieces = (columns_ + most_columns - 1) / most_columns;
  const std::int64_t width = pieces == 0 ? 1 : (columns_ + pieces - 1) / pieces;
  constexpr std::int64_t height = 256;  // fixed, as every sum's order: bits don't depend on the number of threads
  parallel_for((n + height - 1) / height * pieces, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t j = task / pieces * height, count = std::min(height, n - j);
    const std::int64_t low = task % pieces * width, high = std::min(columns_, low + width);
    Tensor sums = Tensor::zeros({high - low, count}), part({high - low, count});
    for (std::int64_t g = 0; g < groups_; ++g) {
      const std::int64_t first = place(g, low), columns = place(g, high) - first;
      gemm_single(Transpose::yes, Transpose::no, columns, count, rows_of(g), 1, values(g) + first, group(g).columns,
                  left.data() + g * group_rows * n + j, n, 0, part.data(), count);
      for (const Run* run = runs(g); run != runs(g) + group(g).runs; ++run) {
        const std::int64_t begin = std::max<std::int64_t>(run->first, low);
        const std::int64_t end = std::min<std::int64_t>(run->first + run->count, high);
        if (begin < end)
          simd::kernels().axpy((end - begin) * count, 1, part.data() + (run->at + begin - run->first - first) * count,
                               sums.data() + (begin - low) * count);
      }
    }
    constexpr std::int64_t square = 16;
    for (std::int64_t k = low; k < high; k += square)
      for (std::int64_t r = 0; r < count; ++r)
        for (std::int64_t c = k; c < std::min(high, k + square); ++c)
          result.data()[(j + r) * columns_ + c] = sums.data()[(c - low) * count + r];
  });
  return result;
}

// Where the first column of X that is not before `column` stands in the rows of a group.
std::int64_t CompactMatrix::place(std::int64_t g, std::int64_t column) const {
  for (const Run* run = runs(g); run != runs(g) + group(g).runs; ++run)
    if (column < run->first + run->count) return run->at + std::max<std::int64_t>(0, column - run->first);
  return group(g).columns;
}

Tensor CompactMatrix::dense() const {
  Tensor x = Tensor::zeros({rows_, columns_});
  for (std::int64_t i = 0; i < rows_; ++i) {
    const std::int64_t g = i / group_rows;
    const real* row = values(g) + i % group_rows * group(g).columns;
    for (const Run* run = runs(g); run != runs(g) + group(g).runs; ++run)
      std::copy_n(row + run->at, run->count, x.data() + i * columns_ + run->first);
  }
  return x;
}

}  // namespace engine
