#include "ot/plan/cost_matrix.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::require;
using engine::simd::group_size;

CostMatrix::CostMatrix(std::int64_t rows, std::int64_t columns, Costs costs)
    : rows_(rows), columns_(columns), costs_(std::move(costs)) {
  require(rows >= 1 && columns >= 1, "[cost matrix] there must be points on both sides: ", rows, " x ", columns);
}

CostMatrix::CostMatrix(std::int64_t rows, std::int64_t columns, std::vector<double> values)
    : CostMatrix(rows, columns, nullptr) {
  require(values.size() / static_cast<std::size_t>(columns) == static_cast<std::size_t>(rows) &&
              values.size() % static_cast<std::size_t>(columns) == 0,
          "[cost matrix] the costs must be [n, m]: ", rows, " x ", columns, " against ", values.size(), " values");
  values_ = std::move(values);
  for (std::int64_t i = 0; i < rows; ++i) require_finite(i, row(i, nullptr));
}

void CostMatrix::require_finite(std::int64_t i, const double* row) const {
  for (std::int64_t j = 0; j < columns_; ++j)
    require(std::isfinite(row[j]), "[cost matrix] costs must be finite: that of source point ", i, " and target point ",
            j, " is ", row[j]);
}

const double* CostMatrix::row(std::int64_t i, double* buffer) const {
  if (!values_.empty()) return values_.data() + i * columns_;
  costs_({i, 1, 0, columns_}, buffer);
  return buffer;
}

void CostMatrix::tile(const CostTile& tile, double* out) const {
  if (values_.empty()) return costs_(tile, out);
  for (std::int64_t r = 0; r < tile.rows; ++r)
    std::copy_n(values_.data() + (tile.first_row + r) * columns_ + tile.first_column, tile.columns,
                out + r * tile.columns);
}

std::int64_t CostMatrix::rows_per_piece() const {
  constexpr std::int64_t most_pieces = 64, least_entries = 1 << 15;
  return std::max((rows_ + most_pieces - 1) / most_pieces, (least_entries + columns_ - 1) / columns_);
}

void CostMatrix::hold() {
  if (!values_.empty()) return;
  std::vector<double> values(static_cast<std::size_t>(rows_ * columns_));
  engine::parallel_for(rows_, rows_per_piece(), [&](std::int64_t begin, std::int64_t end) {
    costs_({begin, end - begin, 0, columns_}, values.data() + begin * columns_);
    for (std::int64_t i = begin; i < end; ++i) require_finite(i, values.data() + i * columns_);
  });
  values_ = std::move(values);
}

void require_weights(const char* side, std::span<const double> weights, std::int64_t count) {
  require(weights.size() == static_cast<std::size_t>(count), "[transport] there must be one weight for each ", side,
          " point: ", weights.size(), " weights against ", count, " points");
  double sum = 0;
  for (const double weight : weights) {
    require(std::isfinite(weight) && weight >= 0, "[transport] ", side,
            " weights must be finite and not negative: ", weight);
    sum += weight;
  }
  require(std::abs(sum - 1) <= 1e-6, "[transport] ", side, " weights must sum to 1: their sum is ", sum);
}

CostMatrix cost_matrix(const Target& target, const engine::Tensor& x) {
  require(x.defined() && x.rank() == 2 && x.dim(1) == target.dimension(),
          "[cost matrix] x must be [n, d] with d the target's dimension: ", x.shape(), " against ", target.dimension());
  return {x.dim(0), target.size(), [&target, x](const CostTile& tile, double* out) {
            for (std::int64_t i = tile.first_row; i < tile.first_row + tile.rows; ++i)
              for (std::int64_t j = tile.first_column; j < tile.first_column + tile.columns; ++j)
                *out++ = target.cost(x.data() + i * target.dimension(), j);
          }};
}

PrecisePoint PrecisePoints::operator()(std::int64_t i, std::vector<double>& buffer) const {
  const auto d = static_cast<std::size_t>(dimension), first = static_cast<std::size_t>(i) * d;
  if (bytes.empty()) return values.subspan(first, d);
  buffer.resize(d);
  for (std::size_t c = 0; c < d; ++c) buffer[c] = bytes[first + c] / 255.0;
  return buffer;
}

namespace {
/// Costs between points in double, made for whole groups of y.
class PointCosts {
 public:
  PointCosts(const PrecisePoints& x, const PrecisePoints& y, double scale, std::shared_ptr<const GroundCost> ground)
      : x_(x), scale_(scale), ground_(std::move(ground)), groups_(y.dimension * group_size * groups_to(y.count)) {
    std::vector<double> buffer;
    for (std::int64_t j = 0; j < y.count; ++j) {
      const PrecisePoint point = y(j, buffer);
      for (std::int64_t k = 0; k < y.dimension; ++k)
        groups_[j / group_size * of_group() + k * group_size + j % group_size] = point[k];
    }
  }

  void operator()(const CostTile& tile, double* out) const {
    const std::int64_t first = tile.first_column / group_size,
                       groups = groups_to(tile.first_column + tile.columns) - first;
    std::vector<double> rows;
    const PreciseRows x{rows_of(tile, rows), tile.rows, x_.dimension};
    const PreciseGroups y{groups_.data() + first * of_group(), groups, x_.dimension};
    if (groups * group_size == tile.columns) return write(x, y, out);
    std::vector<double> whole(tile.rows * groups * group_size);
    write(x, y, whole.data());
    const double* from = whole.data() + tile.first_column % group_size;
    for (std::int64_t r = 0; r < tile.rows; ++r, from += groups * group_size, out += tile.columns)
      std::copy_n(from, tile.columns, out);
  }

 private:
  static std::int64_t groups_to(std::int64_t point) { return (point + group_size - 1) / group_size; }
  std::int64_t of_group() const { return x_.dimension * group_size; }

  const double* rows_of(const CostTile& tile, std::vector<double>& rows) const {
    const std::int64_t first = tile.first_row * x_.dimension;
    if (x_.bytes.empty()) return x_.values.data() + first;
    for (std::int64_t k = 0; k < tile.rows * x_.dimension; ++k) rows.push_back(x_.bytes[first + k] / 255.0);
    return rows.data();
  }
  void write(const PreciseRows& x, const PreciseGroups& y, double* out) const {
    if (ground_) return ground_->precise_values(x, y, scale_, out);
    engine::simd::kernels().squared_distances(x.count, y.count, x.dimension, x.data, y.data, scale_, out);
  }

  PrecisePoints x_;
  double scale_;
  std::shared_ptr<const GroundCost> ground_;
  std::vector<double> groups_;
};

/// No cost is above that between two corners of a box around all points.
void require_finite_costs(const PrecisePoints& x, const PrecisePoints& y, double scale, const GroundCost* ground) {
  const auto d = static_cast<std::size_t>(x.dimension);
  std::vector<double> low(d, std::numeric_limits<double>::infinity()), high(d, -low[0]), buffer;
  for (const PrecisePoints* points : {&x, &y})
    for (std::int64_t i = 0; i < points->count; ++i)
      for (std::size_t k = 0; const double coordinate : (*points)(i, buffer)) {
        low[k] = std::min(low[k], coordinate);
        high[k] = std::max(high[k], coordinate);
        ++k;
      }
  const double most = scale * (ground ? ground->precise_value(low, high) : precise_squared_distance(low, high));
  require(std::isfinite(most), "[cost matrix] costs must be finite, but points are so far apart that they reach ", most,
          ": scale the points");
}
}  // namespace

CostMatrix cost_matrix(const PrecisePoints& x, const PrecisePoints& y, double scale,
                       std::shared_ptr<const GroundCost> ground) {
  require(x.dimension == y.dimension, "[cost matrix] points must be of one dimension: ", x.dimension, " against ",
          y.dimension);
  require_finite_costs(x, y, scale, ground.get());
  const auto costs = std::make_shared<const PointCosts>(x, y, scale, std::move(ground));
  return {x.count, y.count, [costs](const CostTile& tile, double* out) { (*costs)(tile, out); }};
}

}  // namespace ot
