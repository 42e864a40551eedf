#include "tests/data/encode.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

namespace {
void append(void* context, void* bytes, int size) {
  static_cast<std::string*>(context)->append(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}
}  // namespace

std::string png_of(const std::vector<std::uint8_t>& pixels, int width, int height, int channels) {
  std::string content;
  stbi_write_png_to_func(append, &content, width, height, channels, pixels.data(), 0);
  return content;
}

std::string bmp_of(const std::vector<std::uint8_t>& pixels, int width, int height, int channels) {
  std::string content;
  stbi_write_bmp_to_func(append, &content, width, height, channels, pixels.data());
  return content;
}

std::string jpeg_of(const std::vector<std::uint8_t>& pixels, int width, int height, int channels) {
  std::string content;
  stbi_write_jpg_to_func(append, &content, width, height, channels, pixels.data(), 95);
  return content;
}
