#include "data/image_file.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string_view>

#include "data/alpha.h"
#include "data/exif.h"
#include "data/file.h"
#include "data/whole_image.h"
#include "engine/error.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_ONLY_BMP
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_PNM
// Zeros, in the place of the tables and pixels that a damaged file uses and does not give.
#define STBI_MALLOC(size) std::calloc(1, size)
#define STBI_REALLOC(block, size) std::realloc(block, size)
#define STBI_FREE(block) std::free(block)
#include <stb/stb_image.h>
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#define STB_IMAGE_RESIZE_STATIC
#if __has_include(<stb/stb_image_resize.h>)
#include <stb/stb_image_resize.h>
#else  // its successor, to which a fourth channel is alpha that the colours are still to be multiplied by
#include <stb/stb_image_resize2.h>
#define stbir_resize_uint8(from, w, h, row, to, new_w, new_h, new_row, channels) \
  (stbir_resize_uint8_linear(from, w, h, row, to, new_w, new_h, new_row,         \
                             (channels) == 4 ? STBIR_RGBA_PM : static_cast<stbir_pixel_layout>(channels)) != nullptr)
#endif
#pragma GCC diagnostic pop

namespace data {

namespace {

using engine::fail;
using engine::require;

std::string_view characters(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Encoded {
  std::vector<std::byte> content;
  int height = 0, width = 0;  // as they are stored
  int channels = 0;           // 1 or 3
  int orientation = 1;

  Upright upright() const { return {orientation, height, width}; }
  const stbi_uc* bytes() const { return reinterpret_cast<const stbi_uc*>(content.data()); }
  int length() const { return static_cast<int>(content.size()); }
};

Encoded open_image(const std::string& path) {
  Encoded image{read_file(path)};
  const std::string_view content = characters(image.content);
  const ImageFormat format = format_of(content);
  require(format != ImageFormat::other, path, ": not a PNG, JPEG, BMP, PGM (P5) or PPM (P6) image");
  require(content.size() <= std::numeric_limits<int>::max(), path, ": larger than 2 GB");
  require(is_whole(format, content), path, ": truncated or damaged ", name_of(format));
  // stb_image takes 255 for white whatever the file says.
  require(format != ImageFormat::pnm || white_of_pnm(content) == 255, path, ": its white is ", white_of_pnm(content),
          ", not 255; convert it to PNG");
  int channels = 0;
  if (!stbi_info_from_memory(image.bytes(), image.length(), &image.width, &image.height, &channels))
    fail(path, ": can't be decoded: ", stbi_failure_reason());
  image.height = std::abs(image.height);  // negative of a BMP from its top down
  require(image.height > 0 && image.width > 0, path, ": has no pixels");
  image.channels = channels <= 2 ? 1 : 3;  // a second or fourth channel is transparency
  if (format == ImageFormat::jpeg) image.orientation = exif_orientation(content);
  return image;
}

// The pixels of an image that stands upright, its transparent parts before black, in this many channels, the fourth
// alpha, from pixels of 1 or 3 colours and alpha.
std::vector<std::uint8_t> flatten(const stbi_uc* pixels, const Upright& upright, int channels) {
  const int colours = channels == 1 ? 1 : 3;
  std::vector<std::uint8_t> result(std::size_t(upright.rows()) * std::size_t(upright.columns()) *
                                   std::size_t(channels));
  std::uint8_t* written = result.data();
  for (int row = 0; row < upright.rows(); ++row) {
    // A row of the upright image goes through the stored one in equal steps.
    const int first = upright.stored(row, 0), step = upright.stored(row, 1) - first;
    for (int column = 0; column < upright.columns(); ++column) {
      const stbi_uc* pixel = pixels + std::ptrdiff_t{first + column * step} * (colours + 1);
      for (int c = 0; c < colours; ++c) *written++ = faded(pixel[c], pixel[colours]);
      if (channels == 4) *written++ = pixel[colours];
    }
  }
  return result;
}

// The middle of the image in the shape asked for, or all of it, at the size asked for.
std::vector<std::uint8_t> framed(const std::vector<std::uint8_t>& pixels, ImageSize size, const Framing& framing) {
  int rows = size.height, columns = size.width;
  if (framing.crop) {
    const std::int64_t h = framing.height, w = framing.width;
    if (columns * h > rows * w)
      columns = std::max(1, static_cast<int>((rows * w + h / 2) / h));
    else
      rows = std::max(1, static_cast<int>((columns * h + w / 2) / w));
  }
  const std::int64_t corner = std::int64_t{(size.height - rows) / 2} * size.width + (size.width - columns) / 2;
  std::vector<std::uint8_t> result(std::size_t(framing.height) * std::size_t(framing.width) *
                                   std::size_t(size.channels));
  if (stbir_resize_uint8(pixels.data() + corner * size.channels, columns, rows, size.width * size.channels,
                         result.data(), framing.width, framing.height, 0, size.channels) != 1)
    throw std::bad_alloc();
  return result;
}

}  // namespace

ImageSize image_size(const std::string& path) {
  const Encoded image = open_image(path);
  return {image.upright().rows(), image.upright().columns(), image.channels};
}

std::vector<std::uint8_t> decode_image(const std::string& path, int channels, const Framing& framing) {
  const Encoded image = open_image(path);
  int width = 0, height = 0, ignored = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(image.bytes(), image.length(), &width, &height, &ignored, channels == 1 ? 2 : 4),
      stbi_image_free);
  if (!pixels) fail(path, ": can't be decoded: ", stbi_failure_reason());
  const Upright upright{image.orientation, height, width};
  std::vector<std::uint8_t> upright_pixels = flatten(pixels.get(), upright, channels);
  const ImageSize size{upright.rows(), upright.columns(), channels};
  if (framing.height == 0 || (framing.height == size.height && framing.width == size.width)) return upright_pixels;
  return framed(upright_pixels, size, framing);
}

}  // namespace data
