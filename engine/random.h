#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/tensor.h"

namespace engine {

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): four 32-bit words that are
/// a pure function of a 64-bit key and a 128-bit counter.
std::array<std::uint32_t, 4> philox(std::uint64_t key, std::uint64_t counter_low, std::uint64_t counter_high);

/// An addressable sequence of random numbers: draw i is a function of (seed, stream, i) alone, so results do not depend
/// on the number of threads and resuming needs no hidden state. Different streams of a seed are independent.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  /// Uniform 32-bit word number `index`.
  std::uint32_t bits(std::uint64_t index) const;
  /// Uniform on [0, 1) with 53 bits, draw number `index`.
  double uniform(std::uint64_t index) const;
  /// Standard normal (Box-Muller), draw number `index`.
  double normal(std::uint64_t index) const;
  /// Element i is draw number i, uniform on [low, high) before it is rounded to real.
  Tensor uniform(const Shape& shape, real low, real high) const;
  /// Element i is draw number i, normal with the given mean and standard deviation.
  Tensor normal(const Shape& shape, real mean, real deviation) const;
  /// A uniformly random order of 0..n-1 (Fisher-Yates). Throws Error for n < 0.
  std::vector<std::int64_t> permutation(std::int64_t n) const;
  /// `count` of 0..n-1 in increasing order, every such set equally likely, in time and memory of `count` (Floyd;
  /// Bentley, "A sample of brilliance", CACM 30, 1987). Throws Error unless 0 <= count <= n.
  std::vector<std::int64_t> subset(std::int64_t n, std::int64_t count) const;

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
};

}  // namespace engine
