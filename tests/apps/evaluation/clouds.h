#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/random.h"
#include "engine/tensor.h"

/// n standard normal points of dimension d, others for each stream.
inline engine::Tensor normal_points(std::int64_t n, std::int64_t d, std::uint64_t stream) {
  return engine::Random(7, stream).normal({n, d}, 0, 1);
}

/// The points plus the same number everywhere.
inline engine::Tensor shifted(const engine::Tensor& x, engine::real by) {
  engine::Tensor y = x.clone();
  for (engine::real& value : y.values()) value += by;
  return y;
}

/// The rows of x with these numbers.
inline engine::Tensor rows_of(const engine::Tensor& x, std::span<const std::int64_t> rows) {
  const std::int64_t d = x.dim(1);
  std::vector<engine::real> values;
  for (const std::int64_t row : rows) values.insert(values.end(), x.data() + row * d, x.data() + (row + 1) * d);
  return engine::Tensor({static_cast<std::int64_t>(rows.size()), d}, values);
}

/// The rows in a random order.
inline engine::Tensor shuffled(const engine::Tensor& x, std::uint64_t stream) {
  return rows_of(x, engine::Random(8, stream).permutation(x.dim(0)));
}

/// ||x_i - y_j||^2 by differences in double.
inline double plain_squared_distance(const engine::Tensor& x, std::int64_t i, const engine::Tensor& y, std::int64_t j) {
  double sum = 0;
  for (std::int64_t c = 0; c < x.dim(1); ++c) {
    const double difference =
        static_cast<double>(x.data()[i * x.dim(1) + c]) - static_cast<double>(y.data()[j * y.dim(1) + c]);
    sum += difference * difference;
  }
  return sum;
}
