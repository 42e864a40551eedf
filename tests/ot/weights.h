#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

#include "engine/random.h"

namespace ot::testing {

using Weights = std::vector<double>;

inline Weights uniform_weights(std::int64_t n) {
  return Weights(static_cast<std::size_t>(n), 1.0 / static_cast<double>(n));
}

/// Positive numbers that sum to one.
inline Weights random_weights(std::int64_t n, std::uint64_t stream) {
  Weights weights;
  for (std::int64_t i = 0; i < n; ++i)
    weights.push_back(0.2 + engine::Random(40, stream).uniform(static_cast<std::uint64_t>(i)));
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
  return weights;
}

}  // namespace ot::testing
