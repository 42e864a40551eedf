#include "data/png.h"

#include <limits>

#include "data/alpha.h"
#include "data/images.h"
#include "tests/data/files.h"

using doctest::Contains;
using engine::real;

TEST_CASE("a grid read back holds every image at its place") {
  for (const int channels : {1, 3}) {
    const int height = 3, width = 5, rows = 2, columns = 4;
    std::vector<real> values(static_cast<std::size_t>(rows * columns * height * width * channels));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<real>(i % 256) / 255;
    TemporaryFolder folder;
    data::write_png_grid(folder / "grid.png", values, height, width, channels, rows, columns);
    CHECK(folder.count() == 1);
    const data::Images grid = data::read_images(folder.path());
    REQUIRE(grid.height == rows * height);
    REQUIRE(grid.width == columns * width);
    REQUIRE(grid.channels == channels);
    std::size_t i = 0;
    for (int image = 0; image < rows * columns; ++image)
      for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
          for (int c = 0; c < channels; ++c, ++i) {
            const int row = image / columns * height + y, column = image % columns * width + x;
            CHECK(grid.bytes[static_cast<std::size_t>((row * grid.width + column) * channels + c)] == i % 256);
          }
  }
}

TEST_CASE("values are rounded, what lies outside is clamped and NaN is black") {
  TemporaryFolder folder;
  const real infinity = std::numeric_limits<real>::infinity();
  const std::vector<real> values{-1,
                                 -infinity,
                                 std::numeric_limits<real>::quiet_NaN(),
                                 real(0.5),
                                 real(1.7),
                                 infinity,
                                 real(0.4 / 255),
                                 real(0.6 / 255)};
  data::write_png_grid(folder / "a.png", values, 1, 8, 1, 1, 1);
  CHECK(data::read_images(folder.path()).bytes == std::vector<std::uint8_t>{0, 0, 0, 128, 255, 255, 0, 1});
}

TEST_CASE("a grid of images with alpha has their colours, a file of it shows squares where they are transparent") {
  const std::vector<real> values{real(0.25), real(0.5), 0, real(0.5), 1, 1, 1, 0};
  const data::Images grid = data::image_grid(values, 1, 1, 4, 1, 2);
  CHECK(grid.channels == 4);
  CHECK(grid.bytes == std::vector<std::uint8_t>{128, 255, 0, 128, 0, 0, 0, 0});
  TemporaryFolder folder;
  data::write_png_grid(folder / "a.png", values, 1, 1, 4, 1, 2);
  CHECK(data::read_image(folder / "a.png").bytes == data::over_squares(grid).bytes);
}

TEST_CASE("a grid that does not fit its values is refused") {
  TemporaryFolder folder;
  const std::vector<real> values(12);
  auto refusal = [&](int height, int width, int channels, int rows, int columns) {
    return error_of([&] { data::write_png_grid(folder / "a.png", values, height, width, channels, rows, columns); });
  };
  CHECK(refusal(2, 2, 1, 1, 4) == Contains("1x4 images of 2x2x1 are not 12 values"));
  CHECK(refusal(0, 2, 1, 1, 4) == Contains("a grid needs positive sizes"));
  CHECK(refusal(2, 3, 2, 1, 1) == Contains("1, 3 or 4 channels, not 2"));
  CHECK(folder.count() == 0);
  CHECK(error_of([&] { data::write_png_grid(folder / "none/a.png", values, 2, 2, 3, 1, 1); }) ==
        Contains("can't be written"));
}
