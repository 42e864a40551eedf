#include "ot/plan/cost_matrix.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/parallel.h"

namespace ot {

using engine::require;

CostMatrix::CostMatrix(std::int64_t rows, std::int64_t columns, std::function<void(std::int64_t, double*)> row)
    : rows_(rows), columns_(columns), row_(std::move(row)) {
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
  row_(i, buffer);
  return buffer;
}

std::int64_t CostMatrix::rows_per_piece() const {
  constexpr std::int64_t most_pieces = 64, least_entries = 1 << 15;
  return std::max((rows_ + most_pieces - 1) / most_pieces, (least_entries + columns_ - 1) / columns_);
}

void CostMatrix::hold() {
  if (!values_.empty()) return;
  std::vector<double> values(static_cast<std::size_t>(rows_ * columns_));
  engine::parallel_for(rows_, rows_per_piece(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      row_(i, values.data() + i * columns_);
      require_finite(i, values.data() + i * columns_);
    }
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
  return {x.dim(0), target.size(), [&target, x](std::int64_t i, double* row) {
            const real* point = x.data() + i * target.dimension();
            for (std::int64_t j = 0; j < target.size(); ++j) row[j] = target.cost(point, j);
          }};
}

PrecisePoint PrecisePoints::operator()(std::int64_t i, std::vector<double>& buffer) const {
  const auto d = static_cast<std::size_t>(dimension), first = static_cast<std::size_t>(i) * d;
  if (bytes.empty()) return values.subspan(first, d);
  buffer.resize(d);
  for (std::size_t c = 0; c < d; ++c) buffer[c] = bytes[first + c] / 255.0;
  return buffer;
}

CostMatrix cost_matrix(const PrecisePoints& x, const PrecisePoints& y, double scale,
                       std::shared_ptr<const GroundCost> ground) {
  require(x.dimension == y.dimension, "[cost matrix] points must be of one dimension: ", x.dimension, " against ",
          y.dimension);
  return {x.count, y.count, [x, y, scale, ground = std::move(ground)](std::int64_t i, double* row) {
            std::vector<double> x_buffer, y_buffer;
            const PrecisePoint from = x(i, x_buffer);
            for (std::int64_t j = 0; j < y.count; ++j) {
              const PrecisePoint to = y(j, y_buffer);
              row[j] = scale * (ground ? ground->precise_value(from, to) : precise_squared_distance(from, to));
            }
          }};
}

}  // namespace ot
