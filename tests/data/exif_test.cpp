#include "data/exif.h"

#include <string>

#include <doctest/doctest.h>

#include "tests/data/exif_segment.h"

namespace {

const std::string start("\xff\xd8");

/// The letters of an image of 2 rows and 3 columns, abc above def, turned upright, a row after the other.
std::string upright(int orientation) {
  const data::Upright turn{orientation, 2, 3};
  std::string image;
  for (int row = 0; row < turn.rows(); ++row) {
    for (int column = 0; column < turn.columns(); ++column)
      image += "abcdef"[static_cast<std::size_t>(turn.stored(row, column))];
    image += row + 1 < turn.rows() ? "/" : "";
  }
  return image;
}

}  // namespace

TEST_CASE("each orientation turns or mirrors the image as TIFF 6.0 says") {
  CHECK(upright(1) == "abc/def");
  CHECK(upright(2) == "cba/fed");   // the first row is at the top, the first column at the right
  CHECK(upright(3) == "fed/cba");   // bottom, right
  CHECK(upright(4) == "def/abc");   // bottom, left
  CHECK(upright(5) == "ad/be/cf");  // the first row is at the left, the first column at the top
  CHECK(upright(6) == "da/eb/fc");  // right, top
  CHECK(upright(7) == "fc/eb/da");  // right, bottom
  CHECK(upright(8) == "cf/be/ad");  // left, bottom
}

TEST_CASE("the orientation is read in both orders of bytes, and behind other segments") {
  for (const char order : {'I', 'M'})
    for (int orientation = 1; orientation <= 8; ++orientation)
      CHECK(data::exif_orientation(start + exif_segment(order, orientation)) == orientation);
  const std::string comment("\xff\xfe\x00\x04no", 6);
  CHECK(data::exif_orientation(start + comment + exif_segment('M', 8)) == 8);
  CHECK(data::exif_orientation(start + "\xff" + exif_segment('M', 8)) == 8);
}

TEST_CASE("a file without an orientation, with one that does not exist or with damaged Exif data is left as it is") {
  CHECK(data::exif_orientation("") == 1);
  CHECK(data::exif_orientation(start) == 1);
  CHECK(data::exif_orientation(start + exif_segment('I', 0)) == 1);
  CHECK(data::exif_orientation(start + exif_segment('I', 9)) == 1);
  CHECK(data::exif_orientation(start + "\xff\xda" + exif_segment('I', 6).substr(2)) == 1);  // a scan: no more headers
  const std::string whole = start + exif_segment('I', 6);
  const auto with = [](std::string bytes, std::size_t at, char value) {
    bytes[at] = value;
    return data::exif_orientation(bytes);
  };
  CHECK(with(whole, 20, 1) == 1);       // the date alone, of the date and the orientation
  CHECK(with(whole, 12, 'X') == 1);     // no order of bytes
  CHECK(with(whole, 36, '\x04') == 1);  // an orientation in four bytes
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK(data::exif_orientation(whole.substr(0, size)) == 1);
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ 1 << bit);
      const int orientation = data::exif_orientation(damaged);
      CHECK(orientation >= 1);
      CHECK(orientation <= 8);
    }
}
