#include "data/lettering.h"

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

namespace {

constexpr data::Colour black{0, 0, 0};

data::Images paper(int height, int width) {
  return {1, height, width, 3, std::vector<std::uint8_t>(static_cast<std::size_t>(height * width * 3), 255)};
}

bool inked(const data::Images& image, int row, int column) {
  return image.bytes[static_cast<std::size_t>((row * image.width + column) * 3)] == 0;
}

}  // namespace

TEST_CASE("text begins at its corner, is as long as is told and as high as letters are") {
  data::Images image = paper(40, 200);
  data::write_text(image, 10, 5, "HELLO", black);
  int left = 200, right = -1, top = 40, bottom = -1;
  for (int row = 0; row < 40; ++row)
    for (int column = 0; column < 200; ++column) {
      if (!inked(image, row, column)) continue;
      left = std::min(left, column), right = std::max(right, column);
      top = std::min(top, row), bottom = std::max(bottom, row);
    }
  CHECK(left == 10);
  CHECK(top == 5);
  CHECK(bottom == 5 + data::letter_height - 1);
  CHECK(right < 10 + data::length_of("HELLO"));
  CHECK(right >= 10 + data::length_of("HELLO") - 6);
  CHECK(data::length_of("HELLOHELLO") == 2 * data::length_of("HELLO"));
}

TEST_CASE("text upwards is text turned to the left") {
  data::Images across = paper(30, 90), upwards = paper(90, 30);
  data::write_text(across, 7, 4, "axis 1.5e-3", black);
  data::write_text_upwards(upwards, 4, 90 - 7, "axis 1.5e-3", black);
  for (int row = 0; row < 30; ++row)
    for (int column = 0; column < 90; ++column) REQUIRE(inked(across, row, column) == inked(upwards, 89 - column, row));
}

TEST_CASE("each character that there is no letter for is one question mark, and what lies beyond the image is cut") {
  data::Images one = paper(20, 60), other = paper(20, 60);
  data::write_text(one, 0, 2, "\xc2\xb0\xe2\x82\xac\t", black);
  data::write_text(other, 0, 2, "???", black);
  CHECK(one.bytes == other.bytes);
  CHECK(data::length_of("\xc2\xb0") == data::length_of("?"));
  const std::vector<std::uint8_t> before = one.bytes;
  for (const int far : {-100, 100}) {
    data::write_text(one, far, 2, "abc", black);
    data::write_text(one, 2, far, "abc", black);
  }
  CHECK(one.bytes == before);
  for (int k = 0; k < 20; ++k) data::write_text(one, 5 * k - 20, 3 * k - 20, "cut", black);
}
