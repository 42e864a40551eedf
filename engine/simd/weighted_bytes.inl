// Weighted sums of 8-bit points, as a product of small matrices. Part of body.inl.
#pragma once

#include <algorithm>
#include <memory>

#include "engine/simd/elementwise.inl"
#include "engine/simd/vectors.inl"

namespace engine::simd {
namespace {

// The weights of up to `rows` rows: row by row those of each point to which one of them gives any.
template <int rows>
struct RowWeights {
  real weight[block_size][rows];
  std::int32_t point[block_size];
  Index count;

  void take(Index present, real unit, const real* from, Index stride) {
    present = std::min<Index>(present, rows);
    real any[block_size] = {};
    for (Index r = 0; r < present; ++r)
      for (Index l = 0; l < block_size; ++l) any[l] = from[r * stride + l] != 0 ? real(1) : any[l];
    count = 0;
    for (Index l = 0; l < block_size; ++l) {
      if (any[l] == 0) continue;
      for (Index r = 0; r < rows; ++r) weight[count][r] = r < present ? unit * from[r * stride + l] : 0;
      point[count++] = static_cast<std::int32_t>(l);
    }
  }
};

// Columns are handled by fours: y = x, or y += x.
constexpr Index four_columns = 4;

void copy_four(const real* x, real* y) {
  __builtin_memcpy(y, x, four_columns * sizeof(real));
}

void add_four(const real* x, real* y) {
  using Four [[gnu::vector_size(four_columns * sizeof(real))]] = real;
  Four from, to;
  __builtin_memcpy(&from, x, sizeof(from));
  __builtin_memcpy(&to, y, sizeof(to));
  to += from;
  __builtin_memcpy(y, &to, sizeof(to));
}

// Some columns of all points, without those fours of them that are 0 for all.
struct CompactColumns {
  static constexpr Index most = 512, line = 64;
  // Padded with zeros to whole vectors; a stride with which rows don't share their places in the cache.
  alignas(64) real value[block_size][most + 16];
  Index count = 0;                         // of fours
  std::int32_t four[most / four_columns];  // where each stands

  template <class Arch>
  void take(Index columns, const std::uint8_t* const* points, Index first) {
    count = 0;
    for (Index k = 0; k < columns; k += line) {
      const Index present = std::min(line, columns - k);
      std::uint32_t any[line / four_columns] = {};
      for (Index l = 0; l < block_size; ++l) {
        std::uint32_t fours[line / four_columns] = {};
        if (present == line)
          __builtin_memcpy(fours, points[l] + first + k, line);
        else
          __builtin_memcpy(fours, points[l] + first + k, static_cast<std::size_t>(present));
        for (Index f = 0; f < line / four_columns; ++f) any[f] |= fours[f];
      }
      for (Index f = 0; f < (present + four_columns - 1) / four_columns; ++f) {
        four[count] = static_cast<std::int32_t>(k + f * four_columns);
        count += any[f] != 0;
      }
    }
    alignas(64) real row[most] = {};
    for (Index l = 0; l < block_size; ++l) {
      from_bytes<Arch>(columns, 1, points[l] + first, row);
      for (Index f = 0; f < count; ++f) copy_four(row + four[f], value[l] + f * four_columns);
      for (Index k = count * four_columns; k % 16 != 0; ++k) value[l][k] = 0;
    }
  }
};

// Eight rows by three vectors of sums fill AVX-512's 32 registers, four by three the 16 of SSE and AVX2.
template <class Arch>
constexpr int rows_together = width<Arch> * sizeof(real) == 64 ? 8 : 4;

// out[r][...] = sum_p weight_pr point_p over some vectors of compact columns.
template <class Arch, int rows, int vectors>
void sum_columns(const RowWeights<rows>& weights, const CompactColumns& columns, Index column,
                 real (&out)[rows][CompactColumns::most]) {
  Batch<Arch> sum[rows][vectors];
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) sum[r][v] = Batch<Arch>(real(0));
  for (Index p = 0; p < weights.count; ++p) {
    const real* const from = columns.value[weights.point[p]] + column;
    Batch<Arch> point[vectors];
    for (int v = 0; v < vectors; ++v) point[v] = Batch<Arch>::load_aligned(from + v * width<Arch>);
    for (int r = 0; r < rows; ++r) {
      const Batch<Arch> weight(weights.weight[p][r]);
      for (int v = 0; v < vectors; ++v) sum[r][v] = xsimd::fma(weight, point[v], sum[r][v]);
    }
  }
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) sum[r][v].store_aligned(out[r] + column + v * width<Arch>);
}

// The columns' sums of a few rows, added to those of all columns.
void add_sums(const CompactColumns& columns, Index n, const real* from, real* sum) {
  Index whole = columns.count;
  if (whole > 0 && columns.four[whole - 1] + four_columns > n) --whole;
  for (Index f = 0; f < whole; ++f) add_four(from + f * four_columns, sum + columns.four[f]);
  if (whole < columns.count)
    for (Index k = columns.four[whole]; k < n; ++k) sum[k] += from[whole * four_columns + k - columns.four[whole]];
}

template <class Arch, int rows>
void add_rows(const RowWeights<rows>& weights, Index present, const CompactColumns& columns, Index n, real* const* sums,
              Index first) {
  constexpr Index w = width<Arch>;
  alignas(64) real out[rows][CompactColumns::most];
  const Index end = (columns.count * four_columns + w - 1) / w * w;
  for (Index column = 0; column < end;) {
    const Index vectors = std::min<Index>(3, (end - column) / w);
    const auto run = vectors == 3   ? sum_columns<Arch, rows, 3>
                     : vectors == 2 ? sum_columns<Arch, rows, 2>
                                    : sum_columns<Arch, rows, 1>;
    run(weights, columns, column, out);
    column += vectors * w;
  }
  for (Index r = 0; r < std::min<Index>(rows, present); ++r) add_sums(columns, n, out[r], sums[r] + first);
}

template <class Arch>
void add_weighted_bytes(Index n, real unit, const std::uint8_t* const* points, Index rows, const real* weight,
                        Index stride, real* const* sums) {
  constexpr int together = rows_together<Arch>;
  constexpr Index most_rows = 32 * together;
  // Points lie anywhere in memory.
  for (Index l = 0; l < block_size; ++l)
    for (Index k = 0; k < n; k += CompactColumns::line) __builtin_prefetch(points[l] + k);
  struct Scratch {
    RowWeights<together> weights[most_rows / together];
    CompactColumns columns;
  };
  // Too much for the stacks of threads on systems that give them half a megabyte.
  thread_local const auto scratch = std::make_unique_for_overwrite<Scratch>();
  auto& weights = scratch->weights;
  CompactColumns& columns = scratch->columns;
  for (Index begin = 0; begin < rows; begin += most_rows) {
    const Index end = std::min(rows, begin + most_rows);
    for (Index row = begin; row < end; row += together)
      weights[(row - begin) / together].take(end - row, unit, weight + row * stride, stride);
    for (Index first = 0; first < n; first += columns.most) {
      const Index count = std::min(columns.most, n - first);
      columns.take<Arch>(count, points, first);
      for (Index row = begin; row < end; row += together)
        add_rows<Arch>(weights[(row - begin) / together], end - row, columns, count, sums + row, first);
    }
  }
}

}  // namespace
}  // namespace engine::simd
