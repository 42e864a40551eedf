#include "ot/power_cost.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/blas.h"
#include "engine/error.h"
#include "engine/simd/kernels.h"
#include "engine/tensor.h"

namespace ot {

using engine::Tensor;
using engine::Transpose;
using engine::simd::kernels;

namespace {
/// Distances whose square is at most this share of ||x'||^2 + ||y'||^2 are near.
constexpr real near_share = real{1} / 16;

struct Pair {
  std::int64_t i, j;
};

/// About the mean of the rows, from a few of them.
Tensor middle_of(Rows rows) {
  const std::int64_t step = std::max<std::int64_t>(1, rows.count / 16), count = (rows.count + step - 1) / step;
  Tensor middle = Tensor::zeros({rows.dimension});
  for (std::int64_t j = 0; j < rows.count; j += step)
    kernels().axpy(rows.dimension, real{1} / static_cast<real>(count), rows[j].data(), middle.data());
  return middle;
}

/// Rows minus a point, and the squares of their norms.
struct Centred {
  Centred(Rows rows, const Tensor& middle) : points({rows.count, rows.dimension}), squared_norms({rows.count}) {
    for (std::int64_t i = 0; i < rows.count; ++i) {
      real* point = points.data() + i * rows.dimension;
      kernels().sub(rows.dimension, rows[i].data(), middle.data(), point);
      squared_norms.data()[i] = kernels().dot(rows.dimension, point, point);
    }
  }

  Tensor points, squared_norms;
};

/// ||x - y||^2 of all pairs, and the pairs for which that is too rough.
struct Distances {
  Distances(Rows from, Rows to, real* squares) : Distances(from, to, middle_of(to), squares) {}
  Distances(Rows from, Rows to, const Tensor& middle, real* squares) : x(from, middle), y(to, middle) {
    const std::int64_t count = to.count;
    engine::gemm_single(Transpose::no, Transpose::yes, from.count, count, from.dimension, 1, x.points.data(),
                        from.dimension, y.points.data(), from.dimension, 0, squares, count);
    Tensor kept_norms({count});
    kernels().scale(count, 1 - near_share, y.squared_norms.data(), kept_norms.data());
    std::vector<std::int32_t> found(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < from.count; ++i, squares += count) {
      const real norm = x.squared_norms.data()[i];
      // norm + y_norm - 2 product <= near_share (norm + y_norm)
      const std::int64_t pairs =
          kernels().find_affine(count, kept_norms.data(), -2, squares, (near_share - 1) * norm, found.data());
      for (std::int64_t n = 0; n < pairs; ++n) near.push_back({i, found[static_cast<std::size_t>(n)]});
      for (std::int64_t j = 0; j < count; ++j) squares[j] = norm + y.squared_norms.data()[j] - 2 * squares[j];
    }
  }

  Centred x, y;
  std::vector<Pair> near;
};

/// values^exponent for values that are not negative.
void raise(std::int64_t n, double exponent, real* values) {
  if (exponent == 1) return;
  if (exponent == 0.5) return kernels().sqrt(n, values, values);
  if (exponent == 0) return static_cast<void>(std::fill_n(values, n, real{1}));
  kernels().log(n, values, values);
  kernels().scale(n, static_cast<real>(exponent), values, values);
  kernels().exp(n, values, values);
}

double squared_distance(Point x, Point y) {
  return kernels().squared_distance(static_cast<std::int64_t>(x.size()), x.data(), y.data());
}
}  // namespace

PowerCost::PowerCost(double p) : p_(p) {
  engine::require(std::isfinite(p) && p >= 1, "[power cost] the power must be a finite number of at least 1: ", p);
}

double PowerCost::value(Point x, Point y) const {
  return std::pow(squared_distance(x, y), p_ / 2);
}

double PowerCost::precise_value(PrecisePoint x, PrecisePoint y) const {
  const double square = precise_squared_distance(x, y);
  return p_ == 1 ? std::sqrt(square) : std::pow(square, p_ / 2);
}

void PowerCost::precise_values(PreciseRows x, PreciseGroups y, double scale, double* values) const {
  kernels().squared_distances(x.count, y.count, x.dimension, x.data, y.data, 1, values);
  const std::span all(values, static_cast<std::size_t>(x.count * y.count * engine::simd::group_size));
  if (p_ == 1)
    for (double& value : all) value = scale * std::sqrt(value);
  else
    for (double& value : all) value = scale * std::pow(value, p_ / 2);
}

void PowerCost::add_gradient(Point x, Point y, real weight, std::span<real> gradient) const {
  const double square = squared_distance(x, y);
  if (square == 0) return;
  const double slope = weight * p_ * std::pow(square, p_ / 2 - 1);
  for (std::size_t c = 0; c < x.size(); ++c) gradient[c] += static_cast<real>(slope * static_cast<double>(x[c] - y[c]));
}

void PowerCost::values(Rows x, Rows y, real* values) const {
  const Distances distances(x, y, values);
  for (const auto [i, j] : distances.near) values[i * y.count + j] = static_cast<real>(squared_distance(x[i], y[j]));
  raise(x.count * y.count, p_ / 2, values);
}

void PowerCost::add_gradients(Rows x, Rows y, const real* weights, real* gradients) const {
  const std::int64_t count = y.count, dimension = x.dimension;
  Tensor slopes({x.count, count});  // of each pair, weight ||x - y||^(p - 2)
  const Distances distances(x, y, slopes.data());
  raise(slopes.size(), p_ / 2 - 1, slopes.data());
  kernels().mul(slopes.size(), weights, slopes.data(), slopes.data());
  for (const auto [i, j] : distances.near) {
    slopes.data()[i * count + j] = 0;
    add_gradient(x[i], y[j], weights[i * count + j], {gradients + i * dimension, static_cast<std::size_t>(dimension)});
  }
  // sum_j slope_j (x' - y'_j)
  for (std::int64_t i = 0; i < x.count; ++i)
    kernels().axpy(dimension, static_cast<real>(p_) * kernels().sum(count, slopes.data() + i * count),
                   distances.x.points.data() + i * dimension, gradients + i * dimension);
  engine::gemm_single(Transpose::no, Transpose::no, x.count, dimension, count, static_cast<real>(-p_), slopes.data(),
                      count, distances.y.points.data(), dimension, 1, gradients, dimension);
}

}  // namespace ot
