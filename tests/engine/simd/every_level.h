#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "engine/random.h"
#include "engine/simd/kernels.h"

// What the tests of kernels share: every level that this CPU has, sizes around the widths of vectors, and oracles in
// long double.
namespace engine::simd::testing {

using Values = std::vector<real>;
using Exact = long double;

constexpr real infinite = std::numeric_limits<real>::infinity();
constexpr real not_a_number = std::numeric_limits<real>::quiet_NaN();
constexpr Exact epsilon = std::numeric_limits<real>::epsilon();
inline const std::vector<std::int64_t> sizes{0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000};

/// Runs the check for the kernels of each level.
inline void at_each_level(const std::function<void(const Kernels&)>& check) {
  for (Level level : levels()) {
    CAPTURE(name(level));
    check(*kernels_of(level));
  }
}

inline std::size_t count(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// Uniform numbers on [low, high].
inline Values random(std::int64_t n, double low, double high, std::uint64_t stream = 0) {
  const engine::Random numbers(7, stream);
  Values x(count(n));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<real>(low + (high - low) * numbers.uniform(i));
  return x;
}

inline std::vector<std::uint8_t> random_bytes(std::int64_t n) {
  const engine::Random numbers(7, 99);
  std::vector<std::uint8_t> x(count(n));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::uint8_t>(numbers.bits(i));
  return x;
}

inline bool same_bits(const Values& a, const Values& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(real)) == 0);
}

/// Relative distance in units of the last place, and absolute below the smallest normal number.
inline Exact ulps(real got, Exact wanted) {
  const Exact scale = std::max<Exact>(std::abs(wanted), std::numeric_limits<real>::min());
  return std::abs(static_cast<Exact>(got) - wanted) / (scale * epsilon);
}

}  // namespace engine::simd::testing
