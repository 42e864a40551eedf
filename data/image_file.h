#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/framing.h"

namespace data {

/// What is known of an image before it is decoded, standing upright.
struct ImageSize {
  int height = 0, width = 0;
  int channels = 0;  ///< 1 (grey) or 3 (colour)
};

/// Reads the size of a PNG, JPEG, BMP, PGM or PPM file. Throws Error for one that is missing or damaged.
ImageSize image_size(const std::string& path);

/// The pixels of such a file in this many channels, 1, 3 or 4, turned as Exif data say, transparent parts before black,
/// the fourth channel alpha, brought to the size that the framing asks for. Throws Error as image_size() does.
std::vector<std::uint8_t> decode_image(const std::string& path, int channels, const Framing& framing = {});

}  // namespace data
