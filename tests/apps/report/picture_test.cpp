#include "apps/report/picture.h"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "data/encoded_image.h"
#include "tests/apps/program.h"

using namespace apps::report;

namespace {

std::string base64_of(std::string_view text) {
  return base64(std::as_bytes(std::span(text.data(), text.size())));
}

/// The image behind an address.
data::Images decoded(const std::string& address) {
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int held = 0;
  for (const char c : address.substr(address.find(',') + 1)) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<unsigned>(digits.find(c));
    if ((held += 6) >= 8) bytes += static_cast<char>(bits >> (held -= 8) & 255);
  }
  const TemporaryFolder folder;
  write(folder / "a.png", bytes);
  return data::read_image(folder / "a.png");
}

data::Images noise(int height, int width, int channels) {
  data::Images image{1, height, width, channels, {}};
  unsigned seed = 1;
  for (int i = 0; i < height * width * channels; ++i)
    image.bytes.push_back(static_cast<std::uint8_t>((seed = seed * 1664525 + 1013904223) >> 24));
  return image;
}

}  // namespace

TEST_CASE("base64 is that of RFC 4648") {
  CHECK(base64_of("") == "");
  CHECK(base64_of("f") == "Zg==");
  CHECK(base64_of("fo") == "Zm8=");
  CHECK(base64_of("foo") == "Zm9v");
  CHECK(base64_of("foobar") == "Zm9vYmFy");
  CHECK(base64_of("\xff\xfe\xfd") == "//79");
}

TEST_CASE("shrinking takes the mean of squares, also of what is left at the edges") {
  const data::Images image{1, 2, 3, 1, {0, 10, 50, 20, 30, 70}};
  const data::Images small = shrunk(image, 2);
  CHECK(small.height == 1);
  CHECK(small.width == 2);
  CHECK(small.bytes == std::vector<std::uint8_t>{15, 60});
  CHECK(shrunk(image, 1).bytes == image.bytes);
  CHECK(shrunk({1, 1, 2, 3, {0, 2, 4, 10, 20, 30}}, 2).bytes == std::vector<std::uint8_t>{5, 11, 17});
}

TEST_CASE("levels are even and hold black and white") {
  data::Images ramp{1, 1, 256, 1, {}};
  for (int v = 0; v < 256; ++v) ramp.bytes.push_back(static_cast<std::uint8_t>(v));
  CHECK(with_levels(ramp, 256).bytes == ramp.bytes);
  const data::Images coarse = with_levels(ramp, 16);
  CHECK(std::set<std::uint8_t>(coarse.bytes.begin(), coarse.bytes.end()).size() == 16);
  for (int v = 0; v < 256; ++v) CHECK(std::abs(coarse.bytes[static_cast<std::size_t>(v)] - v) <= 9);
  CHECK(coarse.bytes.front() == 0);
  CHECK(coarse.bytes.back() == 255);
}

TEST_CASE("a picture that fits is embedded as it is") {
  for (const int channels : {1, 3}) {
    const data::Images image = noise(20, 30, channels);
    const Picture picture = embedded(image, 3000);
    CHECK(picture.address.starts_with("data:image/png;base64,"));
    CHECK(decoded(picture.address).bytes == image.bytes);
    CHECK(picture.width == 30);
    CHECK(picture.height == 20);
  }
}

TEST_CASE("a picture that does not fit is coarser, then a JPEG, then smaller, but shown at its size") {
  const data::Images image = noise(100, 100, 1);
  const data::Images levels = decoded(embedded(image, 7000).address);
  CHECK(std::set<std::uint8_t>(levels.bytes.begin(), levels.bytes.end()).size() <= 32);
  CHECK(levels.height == 100);
  std::size_t previous = SIZE_MAX;
  for (const std::size_t most : {20000, 5000, 1000}) {
    const Picture picture = embedded(noise(300, 200, 3), most);
    CHECK(picture.address.size() <= most * 4 / 3 + 100);
    CHECK(picture.width == 200);
    CHECK(picture.height == 300);
    const data::Images small = decoded(picture.address);
    CHECK(small.bytes.size() <= previous);
    previous = small.bytes.size();
  }
  data::Images waves{1, 200, 200, 3, {}};
  for (int i = 0; i < 120000; ++i) {
    const int c = i % 3, x = i / 3 % 200, y = i / 600;
    waves.bytes.push_back(
        static_cast<std::uint8_t>(128 + 60 * std::sin(x / 9.0 + c) + 60 * std::sin((2 * y + x) / 20.0)));
  }
  CHECK(embedded(waves, 8000).address.starts_with("data:image/jpeg;base64,"));
}

TEST_CASE("an element has its size and an escaped text") {
  CHECK(Picture{3, 2, "data:,"}.element("a \"b\"", "hidden") ==
        "<img src=\"data:,\" width=\"3\" height=\"2\" alt=\"a &quot;b&quot;\" hidden>");
}
