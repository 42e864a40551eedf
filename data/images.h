#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/framing.h"

namespace data {

/// Images of one size: pixel (row, column), channel c of image i is
/// bytes[((i * height + row) * width + column) * channels + c].
struct Images {
  std::int64_t count = 0;
  int height = 0, width = 0;
  int channels = 0;  ///< 1 (grey), 3 (colour) or 4 (red, green, blue and alpha)
  std::vector<std::uint8_t> bytes;
  std::string left_out{};  ///< of the folder, in words: files of other kinds, hidden ones, subfolders
};

/// Reads the images of a folder, or of its subfolders, as list_images() finds them, the first `first` of them only if
/// `first` > 0; they are grey if all of them are. JPEGs are turned as their Exif data say, transparent parts lie before
/// black, which for 4 channels is colours times alpha (alpha.h), 16 bits become 8. Throws Error for a folder that is
/// missing or holds no image, a damaged file, two sizes (it names both files) where the framing asks for none, and
/// where it asks for alpha and there is nothing transparent.
Images read_images(const std::string& folder, std::int64_t first = 0, const Framing& framing = {});

/// Reads one such file, transparent parts before black: count is 1. Throws Error for a file that is missing or damaged.
Images read_image(const std::string& path);

/// What the colours of so many channels are called: grey, colour or RGBA.
const char* colours_of(int channels);

}  // namespace data
