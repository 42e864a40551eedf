#include "apps/scaling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "apps/options.h"
#include "engine/blas.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace apps {

using engine::real;
using engine::require;
using engine::Tensor;
using engine::text;

namespace {

using Numbers = std::vector<double>;

std::size_t count(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

struct Columns {
  Numbers low, high, mean;
  bool constant(std::size_t k) const { return low[k] == high[k]; }
};

Columns columns_of(const data::Dataset& x) {
  const std::size_t d = count(x.dimension), size = count(x.count) * d;
  constexpr double infinite = std::numeric_limits<double>::infinity();
  Columns columns{Numbers(d, infinite), Numbers(d, -infinite), Numbers(d, 0)};
  for (std::size_t i = 0; i < size; ++i) {
    const double value = x.coordinate(i);
    const std::size_t k = i % d;
    columns.low[k] = std::min(columns.low[k], value);
    columns.high[k] = std::max(columns.high[k], value);
    columns.mean[k] += value / static_cast<double>(x.count);
  }
  for (std::size_t k = 0; k < d; ++k)
    if (columns.constant(k)) columns.mean[k] = columns.low[k];
  return columns;
}

/// With 1 / J; [d, d].
Numbers covariance_of(const data::Dataset& x, const Numbers& mean) {
  const std::size_t d = mean.size();
  Numbers covariance(d * d, 0);
  engine::parallel_for(x.dimension, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::size_t a = count(first); a < count(last); ++a)
      for (std::size_t row = 0; row < count(x.count) * d; row += d) {
        const double of_a = (x.coordinate(row + a) - mean[a]) / static_cast<double>(x.count);
        for (std::size_t b = a; b < d; ++b) covariance[a * d + b] += of_a * (x.coordinate(row + b) - mean[b]);
      }
  });
  for (std::size_t a = 0; a < d; ++a)
    for (std::size_t b = 0; b < a; ++b) covariance[a * d + b] = covariance[b * d + a];
  return covariance;
}

Numbers deviations_of(const data::Dataset& x, const Columns& columns) {
  const std::size_t d = columns.mean.size();
  Numbers deviations(d, 0);
  for (std::size_t i = 0; i < count(x.count) * d; ++i) {
    const double difference = x.coordinate(i) - columns.mean[i % d];
    deviations[i % d] += difference * difference / static_cast<double>(x.count);
  }
  for (double& deviation : deviations) deviation = std::sqrt(deviation);
  return deviations;
}

/// sum of f(value) v v^T over eigenvalues and unit eigenvectors v.
template <class Function>
Numbers function_of(const engine::SymmetricEigen& eigen, const Function& f) {
  const std::size_t d = eigen.values.size();
  Numbers result(d * d, 0);
  for (std::size_t k = 0; k < d; ++k) {
    const double value = f(eigen.values[k]);
    const double* const vector = eigen.vectors.data() + k * d;
    for (std::size_t a = 0; a < d; ++a)
      for (std::size_t b = 0; b < d; ++b) result[a * d + b] += value * vector[a] * vector[b];
  }
  return result;
}

/// The first coordinates of row M, for M diagonal, [d], or a matrix, [d, d].
Numbers times(const Numbers& row, const Numbers& matrix, std::size_t first) {
  const std::size_t d = row.size();
  Numbers result(first, 0);
  for (std::size_t a = 0; a < d; ++a)
    if (matrix.size() != d)
      for (std::size_t b = 0; b < first; ++b) result[b] += row[a] * matrix[a * d + b];
    else if (a < first)
      result[a] = row[a] * matrix[a];
  return result;
}

std::string constant_columns(const Columns& columns) {
  constexpr std::size_t most = 5;
  std::string list;
  std::size_t constant = 0;
  for (std::size_t k = 0; k < columns.mean.size(); ++k)
    if (columns.constant(k) && ++constant <= most) list += text(list.empty() ? "" : ", ", k);
  if (constant == 0) return "";
  return text(constant == 1 ? "column " : "columns ", list, constant > most ? ", ..." : "", " (the first is 0), which ",
              constant == 1 ? "is constant" : "are constant");
}

/// About the column that varies least beside its size, where rounding leaves less than two digits of it; or empty.
std::string coarse_column(const Columns& columns) {
  double least = 100;
  std::string line;
  for (std::size_t k = 0; k < columns.mean.size(); ++k) {
    const double size = std::max(std::abs(columns.low[k]), std::abs(columns.high[k]));
    const double steps = (columns.high[k] - columns.low[k]) / (size * std::numeric_limits<real>::epsilon());
    if (columns.constant(k) || steps >= least) continue;
    least = steps;
    line = text("column ", k, " (the first is 0) runs from ", columns.low[k], " to ", columns.high[k],
                ", of which rounding leaves ", steps < 10 ? "less than a digit" : "a digit",
                ": take a number near these from it");
  }
  return line;
}

}  // namespace

Scaling::Scaling(Numbers shift, Numbers scale) : shift_(std::move(shift)), scale_(std::move(scale)) {
  const std::size_t d = shift_.size();
  const auto finite = [](double value) { return std::isfinite(value); };
  require(d >= 1 && (scale_.size() == d || scale_.size() == d * d), "[scaling] the scale must be [", d, "] or [", d,
          ", ", d, "]: ", scale_.size(), " numbers");
  require(std::ranges::all_of(shift_, finite) && std::ranges::all_of(scale_, finite),
          "[scaling] all numbers must be finite");
  if (diagonal()) {
    for (const double factor : scale_) inverse_.push_back(1 / factor);
  } else {
    const engine::SymmetricEigen eigen = engine::symmetric_eigen(scale_, static_cast<std::int64_t>(d));
    inverse_ = function_of(eigen, [](double value) { return 1 / value; });
  }
  require(std::ranges::all_of(inverse_, finite), "[scaling] the scale can't be undone: it is 0 somewhere");
}

Scaling Scaling::fit(const std::string& kind, const data::Dataset& points) {
  require_one_of("scale", kind, {"none", "standard", "minmax", "whiten"});
  if (kind == "none") return {};
  require(points.channels == 0, "--scale ", kind, " is for points, the data are images: take --scale none");
  const Columns columns = columns_of(points);
  const std::size_t d = columns.mean.size();
  std::string unscaled = constant_columns(columns);
  Numbers shift = columns.mean, scale(d);
  if (kind == "minmax") {
    for (std::size_t k = 0; k < d; ++k) {
      scale[k] = columns.constant(k) ? 1 : columns.high[k] - columns.low[k];
      shift[k] = columns.constant(k) ? columns.low[k] - 0.5 : columns.low[k];
    }
  } else if (kind == "standard") {
    scale = deviations_of(points, columns);
    for (std::size_t k = 0; k < d; ++k)
      if (columns.constant(k)) scale[k] = 1;
  } else {
    const engine::SymmetricEigen eigen =
        engine::symmetric_eigen(covariance_of(points, columns.mean), static_cast<std::int64_t>(d));
    double largest = 0;
    for (std::size_t k = 0; k < d; ++k) largest = std::max({largest, std::abs(columns.low[k]), columns.high[k]});
    const double rounding = largest * std::numeric_limits<real>::epsilon();
    std::int64_t flat = 0;
    scale = function_of(eigen, [&](double variance) {
      if (variance > rounding * rounding) return std::sqrt(variance);
      ++flat;
      return 1.0;
    });
    if (flat > 0) unscaled = text(flat, " of ", d, " directions, in which the points do not vary");
  }
  Scaling scaling(std::move(shift), std::move(scale));
  if (!unscaled.empty()) scaling.unscaled_ = text("--scale ", kind, " does not stretch ", unscaled);
  scaling.coarse_ = coarse_column(columns);
  return scaling;
}

data::Dataset Scaling::apply(data::Dataset points) const {
  if (none()) return points;
  require(points.dimension == std::ssize(shift_), "[scaling] the points must be of dimension ", shift_.size(), ": ",
          points.dimension);
  const std::size_t d = shift_.size();
  std::vector<real> values(count(points.count) * d);
  engine::parallel_for(points.count, 256, [&](std::int64_t first, std::int64_t last) {
    Numbers row(d);
    for (std::size_t i = count(first); i < count(last); ++i) {
      for (std::size_t k = 0; k < d; ++k) row[k] = points.coordinate(i * d + k) - shift_[k];
      std::ranges::transform(times(row, inverse_, d), values.begin() + static_cast<std::ptrdiff_t>(i * d),
                             [](double value) { return static_cast<real>(value); });
    }
  });
  points.bytes = {};
  points.values = std::move(values);
  return points;
}

Tensor Scaling::undo(const Tensor& y) const {
  return none() ? y : undo(y, std::ssize(shift_));
}

Tensor Scaling::undo(const Tensor& y, std::int64_t coordinates) const {
  require(y.rank() == 2 && (none() || y.dim(1) == std::ssize(shift_)), "[scaling] the points must be [n, ",
          shift_.size(), "]: ", y.shape());
  const std::size_t d = count(y.dim(1)), first = count(coordinates);
  Tensor x({y.dim(0), coordinates});
  for (std::size_t i = 0; i < count(y.dim(0)); ++i) {
    const real* const row = y.data() + i * d;
    real* const to = x.data() + i * first;
    if (none()) {
      std::copy_n(row, first, to);
      continue;
    }
    const Numbers moved = times({row, row + d}, scale_, first);
    for (std::size_t k = 0; k < first; ++k) to[k] = static_cast<real>(shift_[k] + moved[k]);
  }
  return x;
}

ot::NamedTensors Scaling::tensors() const {
  if (none()) return {};
  const auto tensor = [](const Numbers& numbers, const engine::Shape& shape) {
    Tensor result(shape);
    std::ranges::transform(numbers, result.data(), [](double value) { return static_cast<real>(value); });
    return result;
  };
  const std::int64_t d = std::ssize(shift_);
  return {{"scaling.shift", tensor(shift_, {d})},
          {"scaling.scale", diagonal() ? tensor(scale_, {d}) : tensor(scale_, {d, d})}};
}

}  // namespace apps
