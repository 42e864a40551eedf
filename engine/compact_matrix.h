#pragma once

#include <cstdint>
#include <optional>

#include "engine/pool.h"
#include "engine/product.h"
#include "engine/tensor.h"

namespace engine {

/// A matrix X [m, k] without the zeros that rows have in common: in groups of 256 rows, each without the columns that
/// are 0 in all its rows. Of images that are like each other, such as handwritten digits, these are the border and
/// more: products take the less time. Copies share their memory.
class CompactMatrix {
 public:
  /// Nothing where it would spare less than a fifth of the columns, or X has fewer rows than a group.
  static std::optional<CompactMatrix> of(const Tensor& x);

  /// Calls body(tile) on all threads for tiles of a result [m, n] that each lie in one group.
  template <class Body>
  void for_each_tile(std::int64_t n, const Body& body) const {
    const std::int64_t across = (n + most_across - 1) / most_across;
    parallel_for(groups_ * across, 1, [&](std::int64_t task, std::int64_t) {
      const std::int64_t i = task / across * group_rows, j = task % across * most_across;
      body(ProductTile{i, std::min(group_rows, rows_ - i), j, std::min(most_across, n - j)});
    });
  }

  /// The tile's elements of C + X W^T, for W [n, k]; c points to the whole of C [m, n]. 0 times infinity counts as 0.
  void add_product(const ProductTile& tile, const Tensor& w, real* c) const;
  /// L^T X [n, k], for L [m, n].
  Tensor product_from_left(const Tensor& left) const;
  /// X
  Tensor dense() const;

 private:
  static constexpr std::int64_t group_rows = 256, most_across = 512;

  struct Run {  // consecutive columns, which stand at `at` in the rows of a group
    std::int32_t first, count, at;
  };
  struct Group {
    std::int64_t runs, columns, values;  // how many, and where its values [rows, columns] begin
  };

  CompactMatrix(std::int64_t rows, std::int64_t columns);
  std::int64_t rows_of(std::int64_t g) const { return std::min(group_rows, rows_ - g * group_rows); }
  Group& group(std::int64_t g) const { return static_cast<Group*>(groups_buffer_.data())[g]; }
  Run* runs(std::int64_t g) const { return static_cast<Run*>(runs_buffer_.data()) + g * (columns_ + 1) / 2; }
  real* values(std::int64_t g) const { return static_cast<real*>(values_buffer_.data()) + group(g).values; }
  std::int64_t place(std::int64_t g, std::int64_t column) const;
  void find_runs(const Tensor& x, std::int64_t g) const;

  std::int64_t rows_, columns_, groups_;
  Buffer groups_buffer_, runs_buffer_, values_buffer_;
};

}  // namespace engine
