#include "ot/ground_cost.h"

#include <algorithm>
#include <vector>

#include "engine/simd/kernels.h"

namespace ot {

void GroundCost::values(Rows x, Rows y, real* values) const {
  constexpr std::int64_t at_a_time = 8;  // points that stay in the nearest cache while all x pass by
  for (std::int64_t first = 0; first < y.count; first += at_a_time)
    for (std::int64_t i = 0; i < x.count; ++i)
      for (std::int64_t j = first; j < std::min(y.count, first + at_a_time); ++j)
        values[i * y.count + j] = static_cast<real>(value(x[i], y[j]));
}

void GroundCost::add_gradients(Rows x, Rows y, const real* weights, real* gradients) const {
  for (std::int64_t i = 0; i < x.count; ++i) {
    const std::span gradient(gradients + i * x.dimension, static_cast<std::size_t>(x.dimension));
    for (std::int64_t j = 0; j < y.count; ++j)
      if (const real weight = weights[i * y.count + j]; weight != 0) add_gradient(x[i], y[j], weight, gradient);
  }
}

double GroundCost::precise_value(PrecisePoint x, PrecisePoint y) const {
  const std::vector<real> rounded_x(x.begin(), x.end()), rounded_y(y.begin(), y.end());
  return value(rounded_x, rounded_y);
}

void GroundCost::precise_values(PreciseRows x, PreciseGroups y, double scale, double* values) const {
  using engine::simd::group_size;
  const auto d = static_cast<std::size_t>(x.dimension);
  const std::int64_t stride = y.count * group_size;
  std::vector<double> point(d);
  for (std::int64_t j = 0; j < stride; ++j) {
    const double* group = y.data + j / group_size * group_size * y.dimension;
    for (std::size_t k = 0; k < d; ++k) point[k] = group[static_cast<std::int64_t>(k) * group_size + j % group_size];
    for (std::int64_t i = 0; i < x.count; ++i)
      values[i * stride + j] = scale * precise_value({x.data + i * x.dimension, d}, point);
  }
}

double precise_squared_distance(PrecisePoint x, PrecisePoint y) {
  return sum_of_terms(x.size(), [&](std::size_t c) { return (x[c] - y[c]) * (x[c] - y[c]); });
}

}  // namespace ot
