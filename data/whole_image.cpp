#include "data/whole_image.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include <zlib.h>

#include "data/big_endian.h"

namespace data {

namespace {

constexpr std::string_view png_signature = "\x89PNG\r\n\x1a\n";

// Whether so many bytes can be unpacked to as many pixels as IHDR says, which stb_image takes memory for at once.
// Deflate never shrinks by more than 1032.
bool can_hold_png(std::string_view header, std::size_t packed) {
  constexpr std::array channels_of_type{1, 0, 3, 1, 2, 0, 4};
  if (header.size() < 13) return false;
  const std::size_t width = big_endian(header, 4), height = big_endian(header.substr(4), 4);
  const std::size_t depth = big_endian(header.substr(8), 1), type = big_endian(header.substr(9), 1);
  const std::size_t channels = type < channels_of_type.size() ? channels_of_type[type] : 0;
  const std::size_t row_bits = width * depth * channels;
  return row_bits > 0 && height <= 8 * 1032 * packed / row_bits;
}

// Whether all chunks (length, type, content, CRC) up to IEND are there and sound: stb_image does not look.
bool is_whole_png(std::string_view content) {
  content.remove_prefix(png_signature.size());
  std::string_view header;
  std::size_t packed = 0;
  while (content.size() >= 12) {
    const std::size_t length = big_endian(content, 4);
    if (length > content.size() - 12) return false;
    const std::string_view checked = content.substr(4, length + 4);
    const auto crc = crc32_z(0, reinterpret_cast<const unsigned char*>(checked.data()), checked.size());
    if (crc != big_endian(content.substr(8 + length), 4)) return false;
    if (checked == "IEND") return can_hold_png(header, packed);
    if (checked.starts_with("IHDR")) header = checked.substr(4);
    if (checked.starts_with("IDAT")) packed += length;
    content.remove_prefix(12 + length);
  }
  return false;
}

// Whether every Huffman table of a DHT segment (class, 16 counts, that many symbols) has at most 256 symbols: stb_image
// writes beyond its own table otherwise.
bool are_huffman_tables(std::string_view segment) {
  while (segment.size() >= 17) {
    std::size_t symbols = 0;
    for (const unsigned char count : segment.substr(1, 16)) symbols += count;
    if (symbols > 256 || symbols > segment.size() - 17) return false;
    segment.remove_prefix(17 + symbols);
  }
  return segment.empty();
}

bool is_frame(unsigned char marker) {
  return marker >= 0xc0 && marker <= 0xc2;
}

// Whether so many bytes can be as many pixels as a frame (precision, height, width) says: each 8x8 take a bit or more.
bool can_hold_jpeg(std::string_view frame, std::size_t bytes) {
  if (frame.size() < 5) return false;
  const std::size_t height = big_endian(frame.substr(1), 2), width = big_endian(frame.substr(3), 2);
  return (height + 7) / 8 * ((width + 7) / 8) <= 8 * bytes;
}

// Where the coded pixels of a scan end: at a marker, which ff 00 (a byte of theirs), ff ff and ff d0 to ff d7 (restarts
// among them) are not. npos if they do not end.
std::size_t scan_end(std::string_view coded) {
  std::size_t at = coded.find('\xff');
  for (; at != std::string_view::npos; at = coded.find('\xff', at + 1)) {
    if (at + 1 == coded.size()) return std::string_view::npos;
    const auto next = static_cast<unsigned char>(coded[at + 1]);
    if (next != 0 && next != 0xff && (next < 0xd0 || next > 0xd7)) break;
  }
  return at;
}

// Whether all segments up to the end-of-image marker are there: stb_image fills up a truncated JPEG in silence.
bool is_whole_jpeg(std::string_view content) {
  constexpr unsigned char huffman_tables = 0xc4, end_of_image = 0xd9, start_of_scan = 0xda;
  const std::size_t size = content.size();
  content.remove_prefix(2);
  while (true) {
    const std::size_t fill = content.find_first_not_of('\xff');
    if (fill == 0 || fill == std::string_view::npos) return false;
    const auto marker = static_cast<unsigned char>(content[fill]);
    if (marker == end_of_image) return true;
    content.remove_prefix(fill + 1);
    const std::size_t length = content.size() < 2 ? 0 : big_endian(content, 2);
    if (length < 2 || length > content.size()) return false;
    if (marker == huffman_tables && !are_huffman_tables(content.substr(2, length - 2))) return false;
    if (is_frame(marker) && !can_hold_jpeg(content.substr(2, length - 2), size)) return false;
    content.remove_prefix(length);
    if (marker != start_of_scan) continue;
    const std::size_t end = scan_end(content);
    if (end == std::string_view::npos) return false;
    content.remove_prefix(end);
  }
}

// The little-endian number of `size` bytes there.
std::uint64_t little_endian(std::string_view content, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = size; i-- > 0;) number = number << 8 | static_cast<unsigned char>(content[at + i]);
  return number;
}

// Whether the rows of pixels, in whole words of 4 bytes, are all there.
bool is_whole_bmp(std::string_view content) {
  constexpr std::uint64_t old_header = 12;
  if (content.size() < 26) return false;
  const bool old = little_endian(content, 14, 4) == old_header;
  if (!old && content.size() < 54) return false;
  const std::uint64_t width = little_endian(content, 18, old ? 2 : 4);
  const auto height = static_cast<std::int32_t>(little_endian(content, old ? 20 : 22, old ? 2 : 4));
  const std::uint64_t rows = static_cast<std::uint64_t>(std::abs(std::int64_t{height}));
  const std::uint64_t row = (width * little_endian(content, old ? 24 : 28, 2) + 31) / 32 * 4;
  return row > 0 && rows <= content.size() / row && little_endian(content, 10, 4) + row * rows <= content.size();
}

struct PnmHeader {
  std::uint64_t width = 0, height = 0, white = 0;
  std::size_t length = 0;
};

// P5 or P6, width, height and the largest value, apart by blanks and comments up to the line's end; a blank.
std::optional<PnmHeader> pnm_header(std::string_view content) {
  PnmHeader header;
  std::size_t at = 2;
  for (std::uint64_t* const number : {&header.width, &header.height, &header.white}) {
    while ((at = content.find_first_not_of(" \t\r\n", at)) != content.npos && content[at] == '#')
      at = content.find('\n', at);
    if (at == content.npos) return {};
    const std::size_t end = content.find_first_not_of("0123456789", at);
    if (end == content.npos || end == at || end - at > 9) return {};
    for (; at < end; ++at) *number = 10 * *number + static_cast<std::uint64_t>(content[at] - '0');
  }
  header.length = at + 1;
  return header;
}

bool is_whole_pnm(std::string_view content) {
  const std::optional<PnmHeader> header = pnm_header(content);
  if (!header) return false;
  const std::uint64_t pixel = (content[1] == '6' ? 3 : 1) * (header->white > 255 ? 2 : 1);
  return header->width * pixel * header->height <= content.size() - header->length;
}

}  // namespace

ImageFormat format_of(std::string_view content) {
  if (content.starts_with(png_signature)) return ImageFormat::png;
  if (content.starts_with("\xff\xd8")) return ImageFormat::jpeg;
  if (content.starts_with("BM")) return ImageFormat::bmp;
  if (content.starts_with("P5") || content.starts_with("P6")) return ImageFormat::pnm;
  return ImageFormat::other;
}

const char* name_of(ImageFormat format) {
  constexpr std::array names{"PNG", "JPEG", "BMP", "PGM or PPM", "image"};
  return names.at(static_cast<std::size_t>(format));
}

bool is_whole(ImageFormat format, std::string_view content) {
  switch (format) {
    case ImageFormat::png:
      return is_whole_png(content);
    case ImageFormat::jpeg:
      return is_whole_jpeg(content);
    case ImageFormat::bmp:
      return is_whole_bmp(content);
    case ImageFormat::pnm:
      return is_whole_pnm(content);
    case ImageFormat::other:
      break;
  }
  return false;
}

unsigned white_of_pnm(std::string_view content) {
  const std::optional<PnmHeader> header = pnm_header(content);
  return header ? static_cast<unsigned>(header->white) : 0;
}

}  // namespace data
