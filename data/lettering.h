#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "data/images.h"

namespace data {

using Colour = std::array<std::uint8_t, 3>;

/// How high capital letters are, and how long a line of text is, in pixels. Characters other than ASCII's are a ?.
constexpr int letter_height = 14;
int length_of(const std::string& text);

/// Writes a line of text into an image (count 1, 3 channels), from the upper left corner of its first letter to the
/// right; `upwards`, turned to the left, from the lower left corner of where that comes to lie. What lies beyond the
/// image is left out.
void write_text(Images& image, int left, int top, const std::string& text, const Colour& colour);
void write_text_upwards(Images& image, int left, int bottom, const std::string& text, const Colour& colour);

}  // namespace data
