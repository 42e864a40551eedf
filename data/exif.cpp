#include "data/exif.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "data/big_endian.h"

namespace data {

namespace {

constexpr std::string_view exif_mark("Exif\0\0", 6);

/// A TIFF structure: numbers in the order of bytes that its first two letters tell. What lies outside reads as 0.
struct Tiff {
  std::string_view content;

  std::size_t number(std::size_t at, std::size_t size) const {
    if (at > content.size() || size > content.size() - at) return 0;
    std::string bytes(content.substr(at, size));
    if (content[0] == 'I') std::ranges::reverse(bytes);
    return big_endian(bytes, size);
  }
};

int orientation_in(const Tiff& tiff) {
  constexpr std::size_t tag_orientation = 274, short_numbers = 3, entry_size = 12;
  if (!tiff.content.starts_with("II") && !tiff.content.starts_with("MM")) return 1;
  const std::size_t directory = tiff.number(4, 4);
  const std::size_t entries = tiff.number(directory, 2);
  for (std::size_t e = 0; e < entries; ++e) {
    const std::size_t entry = directory + 2 + e * entry_size;
    if (tiff.number(entry, 2) != tag_orientation || tiff.number(entry + 2, 2) != short_numbers) continue;
    const std::size_t value = tiff.number(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace

int exif_orientation(std::string_view jpeg) {
  constexpr unsigned char app1 = 0xe1, start_of_scan = 0xda;
  std::size_t at = 2;
  while (at + 4 <= jpeg.size() && jpeg[at] == '\xff') {
    const auto marker = static_cast<unsigned char>(jpeg[at + 1]);
    if (marker == 0xff) {  // fill before a marker
      ++at;
      continue;
    }
    const std::size_t length = big_endian(jpeg.substr(at + 2), 2);
    if (marker == start_of_scan || length < 2 || length > jpeg.size() - at - 2) return 1;
    const std::string_view segment = jpeg.substr(at + 4, length - 2);
    if (marker == app1 && segment.starts_with(exif_mark)) return orientation_in({segment.substr(exif_mark.size())});
    at += 2 + length;
  }
  return 1;
}

int Upright::stored(int row, int column) const {
  int y = turned() ? column : row, x = turned() ? row : column;
  const bool upside_down = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool mirrored = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  if (upside_down) y = height - 1 - y;
  if (mirrored) x = width - 1 - x;
  return y * width + x;
}

}  // namespace data
