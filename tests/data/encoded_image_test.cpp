#include "data/encoded_image.h"

#include <cstdlib>
#include <numeric>

#include "data/images.h"
#include "tests/data/files.h"

using doctest::Contains;

namespace {

/// An image whose values rise along its rows.
data::Images slope(int height, int width, int channels) {
  data::Images image{1, height, width, channels, std::vector<std::uint8_t>(std::size_t(height * width * channels))};
  for (std::size_t i = 0; i < image.bytes.size(); ++i)
    image.bytes[i] =
        static_cast<std::uint8_t>(i / std::size_t(channels) % std::size_t(width) * 255 / std::size_t(width));
  return image;
}

data::Images read_back(const std::vector<std::byte>& file, const char* name) {
  TemporaryFolder folder;
  put(folder / name, {reinterpret_cast<const char*>(file.data()), file.size()});
  return data::read_image(folder / name);
}

}  // namespace

TEST_CASE("a PNG read back is the image, a JPEG nearly, and the better the finer") {
  for (const int channels : {1, 3}) {
    const data::Images image = slope(16, 40, channels);
    const data::Images exact = read_back(data::encode_png(image), "a.png");
    CHECK(exact.count == 1);
    CHECK(exact.height == 16);
    CHECK(exact.width == 40);
    CHECK(exact.channels == channels);
    CHECK(exact.bytes == image.bytes);
    int previous = 1 << 30;
    for (const int quality : {10, 90}) {
      const data::Images near = read_back(data::encode_jpeg(image, quality), "a.jpg");
      REQUIRE(near.height == 16);
      REQUIRE(near.width == 40);
      int error = 0;
      for (std::size_t i = 0; i < near.bytes.size(); ++i) {
        const std::size_t pixel = i / std::size_t(near.channels) * std::size_t(channels);
        error = std::max(error, std::abs(near.bytes[i] - image.bytes[pixel]));
      }
      CHECK(error < previous);
      previous = error;
    }
    CHECK(previous <= 12);
  }
}

TEST_CASE("even pixels take few bytes") {
  const data::Images image{1, 100, 100, 1, std::vector<std::uint8_t>(10000, 7)};
  CHECK(data::encode_png(image).size() < 200);
}

TEST_CASE("what is not one image is not encoded") {
  const auto refusal = [](const data::Images& image) { return error_of([&] { data::encode_png(image); }); };
  CHECK(refusal({2, 1, 1, 1, {0, 0}}) == Contains("one image can be encoded, not 2"));
  CHECK(refusal({1, 1, 1, 2, {0, 0}}) == Contains("1, 3 or 4 channels, not 2"));
  CHECK(error_of([] { data::encode_jpeg({1, 1, 1, 4, {0, 0, 0, 0}}, 80); }) == Contains("1 or 3 channels, not 4"));
  CHECK(refusal({1, 50000, 50000, 1, {}}) ==
        "an image of 50000x50000x1 is too large for a PNG: take fewer or smaller images");
  CHECK(refusal({1, 2, 3, 1, {0, 0}}) == Contains("an image of 2x3x1 does not have 2 bytes"));
  CHECK(error_of([] { data::encode_jpeg({1, 0, 3, 1, {}}, 80); }) == Contains("an image of 0x3x1"));
}

TEST_CASE("a file that is no image is refused with its name") {
  TemporaryFolder folder;
  put(folder / "a.png", "no image");
  CHECK(error_of([&] { data::read_image(folder / "a.png"); }) ==
        Contains("a.png: not a PNG, JPEG, BMP, PGM (P5) or PPM (P6) image"));
  CHECK(error_of([&] { data::read_image(folder / "b.png"); }) == Contains("b.png: can't be read"));
}
