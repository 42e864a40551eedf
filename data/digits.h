#pragma once

#include <cstdint>
#include <vector>

namespace data {

/// Handwritten-looking digits: image i is 28x28 bytes at i * 784, white ink on black, laid out as MNIST's are (about 20
/// pixels high, its centre of mass in the middle).
struct Digits {
  std::vector<std::uint8_t> images;  ///< [count, 784]
  std::vector<std::uint8_t> labels;  ///< [count], 0 to 9
};

/// As many as MNIST has training images: what the source `digits` holds unless fewer or more are asked for.
inline constexpr std::int64_t default_digits = 60000;

/// Draws the built-in digits from the first on: image i and its label are a function of (seed, i) alone. Throws Error
/// for count < 1.
Digits draw_digits(std::int64_t count, std::uint64_t seed, std::int64_t first = 0);

}  // namespace data
