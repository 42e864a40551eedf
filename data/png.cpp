#include "data/png.h"

#include <cstdint>
#include <cstring>
#include <vector>

#include "data/file.h"
#include "engine/error.h"

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

namespace data {

using engine::require;

void write_png_grid(const std::string& path, std::span<const engine::real> values, int height, int width, int channels,
                    int rows, int columns) {
  require(height > 0 && width > 0 && rows > 0 && columns > 0, path, ": a grid needs positive sizes: ", rows, "x",
          columns, " images of ", height, "x", width);
  require(channels == 1 || channels == 3, path, ": an image needs 1 or 3 channels, not ", channels);
  const std::uint64_t pixels = std::uint64_t(height) * width, images = std::uint64_t(rows) * columns;
  require(values.size() / channels / pixels == images && values.size() == images * pixels * channels, path, ": ", rows,
          "x", columns, " images of ", height, "x", width, "x", channels, " are not ", values.size(), " values");

  const std::size_t line = std::size_t(width) * channels, grid_line = line * columns;
  std::vector<std::uint8_t> grid(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t x = i % line, y = i / line % height, image = i / line / height;
    const engine::real value = values[i] > 0 ? std::min(values[i], engine::real(1)) : 0;  // NaN is not above 0
    grid[(image / columns * height + y) * grid_line + image % columns * line + x] =
        static_cast<std::uint8_t>(value * 255 + engine::real(0.5));
  }

  std::vector<std::byte> encoded;
  auto append = [](void* context, void* bytes, int size) {
    auto& destination = *static_cast<std::vector<std::byte>*>(context);
    const auto* begin = static_cast<const std::byte*>(bytes);
    destination.insert(destination.end(), begin, begin + size);
  };
  require(stbi_write_png_to_func(append, &encoded, width * columns, height * rows, channels, grid.data(), 0) != 0, path,
          ": can't be encoded as PNG");
  const std::span<const std::byte> chunk = encoded;
  write_file_atomically(path, std::span(&chunk, 1));
}

}  // namespace data
