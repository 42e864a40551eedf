#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/ot/oracle.h"

namespace ot::testing {

/// 8-bit points of which two are far nearer to each query than all others, one among the first and one among the last
/// points, with costs to it that hardly differ: which of them wins is told only by what rounds less than the
/// difference.
struct NearTies {
  std::vector<std::uint8_t> bytes;  // [count, d]
  std::vector<real> reals;          // what they stand for
  Tensor x;                         // [batch, d]

  /// Query i lies between points i and count - 1 - i, but for noise of this deviation in every coordinate.
  NearTies(std::int64_t batch, std::int64_t count, std::int64_t d, real noise)
      : bytes(static_cast<std::size_t>(count * d)), x(Random(81, 0).normal({batch, d}, 0, noise)) {
    const Tensor uniform = Random(81, 1).uniform({count, d}, 12, 244),
                 steps = Random(81, 2).uniform({batch, d}, -12, 12);
    std::transform(uniform.values().begin(), uniform.values().end(), bytes.begin(),
                   [](real value) { return static_cast<std::uint8_t>(value); });
    for (std::int64_t i = 0; i < batch; ++i)
      for (std::int64_t k = 0; k < d; ++k) {
        const int middle = bytes[static_cast<std::size_t>(i * d + k)];
        const int step = static_cast<int>(std::lround(steps.data()[i * d + k]));
        bytes[static_cast<std::size_t>(i * d + k)] = static_cast<std::uint8_t>(middle + step);
        bytes[static_cast<std::size_t>((count - 1 - i) * d + k)] = static_cast<std::uint8_t>(middle - step);
        x.data()[i * d + k] += static_cast<real>(middle / 255.0);
      }
    reals.resize(bytes.size());
    std::transform(bytes.begin(), bytes.end(), reals.begin(),
                   [](std::uint8_t byte) { return static_cast<real>(byte / 255.0); });
  }
};

}  // namespace ot::testing
