#include "data/encoded_image.h"

#include <cstdlib>
#include <limits>

#include <zlib.h>

#include "engine/error.h"

namespace {

/// What stb_image_write compresses a PNG by, in place of its own: a fifth fewer bytes. The result is malloc's, null
/// where that fails.
unsigned char* deflated(unsigned char* bytes, int size, int* deflated_size, int /*quality*/) {
  uLongf capacity = compressBound(static_cast<uLong>(size));
  auto* destination = static_cast<unsigned char*>(std::malloc(capacity));
  if (destination == nullptr) return nullptr;
  if (compress2(destination, &capacity, bytes, static_cast<uLong>(size), Z_DEFAULT_COMPRESSION) != Z_OK) {
    std::free(destination);
    return nullptr;
  }
  *deflated_size = static_cast<int>(capacity);
  return destination;
}

}  // namespace

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#define STBIW_ZLIB_COMPRESS deflated
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

namespace data {

using engine::require;

namespace {

void append(void* context, void* bytes, int size) {
  auto& destination = *static_cast<std::vector<std::byte>*>(context);
  const auto* begin = static_cast<const std::byte*>(bytes);
  destination.insert(destination.end(), begin, begin + size);
}

void require_one_image(const Images& image, bool alpha) {
  require(image.count == 1, "one image can be encoded, not ", image.count);
  require(image.channels == 1 || image.channels == 3 || (alpha && image.channels == 4), "an image needs ",
          alpha ? "1, 3 or 4" : "1 or 3", " channels, not ", image.channels);
  require(image.height > 0 && image.width > 0 &&
              image.bytes.size() == std::size_t(image.height) * std::size_t(image.width) * std::size_t(image.channels),
          "an image of ", image.height, "x", image.width, "x", image.channels, " does not have ", image.bytes.size(),
          " bytes");
}

}  // namespace

std::vector<std::byte> encode_png(const Images& image) {
  // stb_image_write counts in int the bytes of all rows, each with one before it, which deflated may be a few more.
  constexpr double most = std::numeric_limits<int>::max() - (1 << 20);
  require((static_cast<double>(image.width) * image.channels + 1) * image.height <= most, "an image of ", image.height,
          "x", image.width, "x", image.channels, " is too large for a PNG: take fewer or smaller images");
  require_one_image(image, true);
  std::vector<std::byte> encoded;
  require(stbi_write_png_to_func(append, &encoded, image.width, image.height, image.channels, image.bytes.data(), 0),
          "an image of ", image.height, "x", image.width, " can't be encoded as PNG");
  return encoded;
}

std::vector<std::byte> encode_jpeg(const Images& image, int quality) {
  require_one_image(image, false);
  std::vector<std::byte> encoded;
  require(
      stbi_write_jpg_to_func(append, &encoded, image.width, image.height, image.channels, image.bytes.data(), quality),
      "an image of ", image.height, "x", image.width, " can't be encoded as JPEG");
  return encoded;
}

}  // namespace data
