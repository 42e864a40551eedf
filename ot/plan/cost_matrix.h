#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/tensor.h"
#include "ot/target.h"

namespace ot {

/// Rows and columns of a matrix that stand next to each other.
struct CostTile {
  std::int64_t first_row, rows, first_column, columns;
};

/// The costs c(x_i, y_j) between n source and m target points in double: held in memory, or computed whenever some are
/// asked for.
class CostMatrix {
 public:
  /// Writes the costs of a tile, [rows, columns]; called by several threads at once.
  using Costs = std::function<void(const CostTile& tile, double* out)>;

  CostMatrix(std::int64_t rows, std::int64_t columns, Costs costs);
  /// Held: values [n, m], row-major. Throws Error for a matrix that is empty, of another size or not finite.
  CostMatrix(std::int64_t rows, std::int64_t columns, std::vector<double> values);

  std::int64_t rows() const { return rows_; }        ///< n
  std::int64_t columns() const { return columns_; }  ///< m

  /// The m costs of x_i. `buffer` has room for m, and may be what is returned.
  const double* row(std::int64_t i, double* buffer) const;
  /// Writes the costs of a tile, [rows, columns].
  void tile(const CostTile& tile, double* out) const;

  /// The rows that a parallel_for over the matrix takes as a piece: at least 2^15 entries, and at most 64 pieces, since
  /// each may keep sums of its columns.
  std::int64_t rows_per_piece() const;

  /// Computes all costs once and keeps them, 8 n m bytes. Throws Error for one that is not finite, and what `costs`
  /// throws.
  void hold();

 private:
  void require_finite(std::int64_t i, const double* row) const;

  std::int64_t rows_, columns_;
  Costs costs_;
  std::vector<double> values_;
};

/// Points in double, row-major [count, dimension], or in bytes that stand for byte / 255; one of the two is empty.
struct PrecisePoints {
  std::span<const double> values;
  std::span<const std::uint8_t> bytes;
  std::int64_t count, dimension;

  /// Point i, which may be put into the buffer.
  PrecisePoint operator()(std::int64_t i, std::vector<double>& buffer) const;
};

/// The mass that goes from a source point to a target point.
struct Flow {
  std::int64_t source, target;
  double mass;
};

/// The costs c(x_i, y_j) of x [n, d] to a target, as Target::cost() has them. Both must outlive it. Throws Error where
/// x has another dimension.
CostMatrix cost_matrix(const Target& target, const engine::Tensor& x);

/// The costs scale k(x_i, y_j) between points in double, k null for ||x - y||^2, by differences, with a copy of y in
/// groups. The points must outlive it. Throws Error where x has another dimension, or points are so far apart that
/// costs overflow.
CostMatrix cost_matrix(const PrecisePoints& x, const PrecisePoints& y, double scale,
                       std::shared_ptr<const GroundCost> ground);

/// Throws Error, naming the `side`, unless there are `count` weights, finite, not negative and summing to 1 within
/// 1e-6.
void require_weights(const char* side, std::span<const double> weights, std::int64_t count);

}  // namespace ot
