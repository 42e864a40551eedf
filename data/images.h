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
  int channels = 0;  ///< 1 (grey) or 3 (colour)
  std::vector<std::uint8_t> bytes;
  std::string left_out{};  ///< of the folder, in words: files of other kinds, hidden ones, subfolders
};

/// Reads the images of a folder, or of its subfolders, as list_images() finds them, the first `first` of them only if
/// `first` > 0; they are grey if all of them are. JPEGs are turned as their Exif data say, transparent parts lie before
/// black, 16 bits become 8. Throws Error for a folder that is missing or holds no image, a damaged file, and two sizes
/// (it names both files) where the framing asks for none.
Images read_images(const std::string& folder, std::int64_t first = 0, const Framing& framing = {});

/// Reads one such file: count is 1. Throws Error for a file that is missing or damaged.
Images read_image(const std::string& path);

}  // namespace data
