#pragma once

#include <cstdint>
#include <span>

#include "data/images.h"

namespace data {

/// Pixels of 4 channels are red, green, blue and alpha, how opaque the pixel is. Files hold colours as they are; points
/// hold them multiplied by alpha, so that what can't be seen of a colour counts for nothing in a distance, and a mean
/// of pixels is what they look like together.

/// c alpha, for bytes that stand for byte / 255.
inline std::uint8_t faded(int colour, int alpha) {
  return static_cast<std::uint8_t>((colour * alpha + 127) / 255);
}

/// Multiplies the colours of pixels [n, 4] by their alpha.
void multiply_by_alpha(std::span<std::uint8_t> pixels);
void multiply_by_alpha(std::span<float> pixels);
void multiply_by_alpha(std::span<double> pixels);

/// Divides the colours of pixels [n, 4] by their alpha, all of it within 0 and 1; black where alpha is 0. NaN is 0.
void divide_by_alpha(std::span<float> pixels);
void divide_by_alpha(std::span<double> pixels);

/// An image (count 1) of 4 channels, colours as they are, laid over white and light squares: 3 channels. One of fewer
/// channels stays as it is.
Images over_squares(Images image);

}  // namespace data
