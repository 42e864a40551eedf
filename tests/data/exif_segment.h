#pragma once

#include <string>

/// A JPEG's APP1 segment with an orientation, in the order of bytes 'I' (the smaller first) or 'M'.
inline std::string exif_segment(char order, int orientation) {
  const auto number = [&](int value, int size) {
    std::string bytes;
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> 8 * (order == 'M' ? size - 1 - i : i) & 0xff);
    return bytes;
  };
  const int date = 306, text = 2, tag_orientation = 274, short_number = 3;
  const std::string tiff = std::string(2, order) + number(42, 2) + number(8, 4) + number(2, 2) + number(date, 2) +
                           number(text, 2) + number(20, 4) + number(0, 4) + number(tag_orientation, 2) +
                           number(short_number, 2) + number(1, 4) + number(orientation, 2) + number(0, 2) +
                           number(0, 4);
  const std::string content = std::string("Exif\0\0", 6) + tiff;
  const int length = static_cast<int>(content.size()) + 2;
  return {std::string("\xff\xe1") + static_cast<char>(length >> 8) + static_cast<char>(length & 0xff) + content};
}
