#include "data/png.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "data/alpha.h"
#include "data/encoded_image.h"
#include "data/file.h"
#include "engine/error.h"

namespace data {

using engine::real;
using engine::require;

Images image_grid(std::span<const real> values, int height, int width, int channels, int rows, int columns) {
  require(height > 0 && width > 0 && rows > 0 && columns > 0, "a grid needs positive sizes: ", rows, "x", columns,
          " images of ", height, "x", width);
  require(channels == 1 || channels == 3 || channels == 4, "an image needs 1, 3 or 4 channels, not ", channels);
  const std::uint64_t pixels = std::uint64_t(height) * width, images = std::uint64_t(rows) * columns;
  require(values.size() / channels / pixels == images && values.size() == images * pixels * channels, rows, "x",
          columns, " images of ", height, "x", width, "x", channels, " are not ", values.size(), " values");

  std::vector<real> straight;
  if (channels == 4) {
    straight.assign(values.begin(), values.end());
    divide_by_alpha(straight);
    values = straight;
  }
  const std::size_t line = std::size_t(width) * channels, grid_line = line * columns;
  Images grid{1, rows * height, columns * width, channels, std::vector<std::uint8_t>(values.size())};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t x = i % line, y = i / line % height, image = i / line / height;
    const real value = values[i] > 0 ? std::min(values[i], real(1)) : 0;  // NaN is not above 0
    grid.bytes[(image / columns * height + y) * grid_line + image % columns * line + x] =
        static_cast<std::uint8_t>(value * 255 + real(0.5));
  }
  return grid;
}

void write_png(const std::string& path, const Images& image) {
  std::vector<std::byte> encoded;
  try {
    encoded = encode_png(image);
  } catch (const engine::Error& error) {
    engine::fail(path, ": ", error.what());
  }
  const std::span<const std::byte> chunk = encoded;
  write_file_atomically(path, std::span(&chunk, 1));
}

void write_png_grid(const std::string& path, std::span<const real> values, int height, int width, int channels,
                    int rows, int columns) {
  Images grid;
  try {
    grid = over_squares(image_grid(values, height, width, channels, rows, columns));
  } catch (const engine::Error& error) {
    engine::fail(path, ": ", error.what());
  }
  write_png(path, grid);
}

}  // namespace data
