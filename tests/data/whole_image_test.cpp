#include "data/whole_image.h"

#include <string>

#include <doctest/doctest.h>

using data::ImageFormat;
using data::is_whole;

TEST_CASE("a JPEG is whole if its Huffman tables are, with symbols or without") {
  const auto whole = [](const std::string& tables) {
    const auto length = static_cast<char>(tables.size() + 2);
    return is_whole(ImageFormat::jpeg, std::string("\xff\xd8\xff\xc4\0", 5) + length + tables + "\xff\xd9");
  };
  const std::string none(17, '\0');  // a class, and 16 times no symbols
  std::string one = none;
  one[3] = 1;
  CHECK(whole(none));
  CHECK(whole(one + 's'));
  CHECK(whole(one + 's' + none));
  CHECK_FALSE(whole(one));
  CHECK_FALSE(whole(none + 's'));
  CHECK_FALSE(whole(none.substr(1)));
}

TEST_CASE("a PGM or PPM is whole if its header and all its pixels are there") {
  const auto whole = [](const std::string& content) { return is_whole(ImageFormat::pnm, content); };
  CHECK(whole("P5 2 1 255 ab"));
  CHECK(whole("P5 # wide\n2 1\t255\nab"));
  CHECK(whole("P6 1 1 255 abc"));
  CHECK(whole("P5 1 1 256 ab"));  // two bytes a value
  CHECK_FALSE(whole("P5 2 1 255 a"));
  CHECK_FALSE(whole("P6 1 1 255 ab"));
  CHECK_FALSE(whole("P5 1 1 256 a"));
  CHECK_FALSE(whole("P5 2 x 255 ab"));
  CHECK_FALSE(whole("P5 2 1"));
  CHECK_FALSE(whole("P5"));
}
