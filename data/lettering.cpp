#include "data/lettering.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_easy_font.h>
#pragma GCC diagnostic pop

namespace data {

namespace {

constexpr int scale = 2;  // pixels of a dot of the letters, of which capital ones are 7 high

struct Rectangle {
  int left, top, right, bottom;
};

// In ASCII, a ? for each other character of UTF-8: stb_easy_font looks up no others.
std::string printable(const std::string& text) {
  std::string result;
  for (const char c : text)
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) result += c >= ' ' && c <= '~' ? c : '?';
  return result;
}

// The rectangles that the letters are made of.
std::vector<Rectangle> strokes_of(const std::string& text) {
  std::string letters = printable(text);
  constexpr std::size_t most_bytes_of_letter = 1024, vertex = 16, corners = 4;
  std::vector<char> buffer((letters.size() + 1) * most_bytes_of_letter);
  const int count = stb_easy_font_print(0, 0, letters.data(), nullptr, buffer.data(), static_cast<int>(buffer.size()));
  std::vector<Rectangle> strokes;
  for (std::size_t k = 0; k < static_cast<std::size_t>(count); ++k) {
    const auto corner = [&](std::size_t number) {
      std::array<float, 2> place;
      std::memcpy(place.data(), buffer.data() + (k * corners + number) * vertex, sizeof place);
      return std::array{scale * static_cast<int>(place[0]), scale * static_cast<int>(place[1])};
    };
    const auto upper_left = corner(0), lower_right = corner(2);
    strokes.push_back({upper_left[0], upper_left[1], lower_right[0], lower_right[1]});
  }
  return strokes;
}

void fill(Images& image, const Rectangle& area, const Colour& colour) {
  for (int row = std::max(area.top, 0); row < std::min(area.bottom, image.height); ++row)
    for (int column = std::max(area.left, 0); column < std::min(area.right, image.width); ++column)
      std::ranges::copy(colour, image.bytes.begin() + (std::ptrdiff_t{row} * image.width + column) * 3);
}

}  // namespace

int length_of(const std::string& text) {
  std::string letters = printable(text);
  return scale * stb_easy_font_width(letters.data());
}

void write_text(Images& image, int left, int top, const std::string& text, const Colour& colour) {
  for (const Rectangle& s : strokes_of(text))
    fill(image, {left + s.left, top + s.top, left + s.right, top + s.bottom}, colour);
}

void write_text_upwards(Images& image, int left, int bottom, const std::string& text, const Colour& colour) {
  for (const Rectangle& s : strokes_of(text))
    fill(image, {left + s.top, bottom - s.right, left + s.bottom, bottom - s.left}, colour);
}

}  // namespace data
