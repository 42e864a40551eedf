#include "data/alpha.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace data {

namespace {

constexpr std::size_t rgba = 4;

template <class Number>
void multiply(std::span<Number> pixels) {
  for (; !pixels.empty(); pixels = pixels.subspan(rgba))
    for (Number& colour : pixels.template first<3>()) colour *= pixels[3];
}

template <class Number>
void divide(std::span<Number> pixels) {
  const auto within = [](Number value) { return value > 0 ? std::min(value, Number{1}) : Number{0}; };
  for (; !pixels.empty(); pixels = pixels.subspan(rgba)) {
    const Number alpha = pixels[3] = within(pixels[3]);
    for (Number& colour : pixels.template first<3>()) colour = alpha > 0 ? within(colour / alpha) : Number{0};
  }
}

}  // namespace

void multiply_by_alpha(std::span<std::uint8_t> pixels) {
  for (; !pixels.empty(); pixels = pixels.subspan(rgba))
    for (std::uint8_t& colour : pixels.first<3>()) colour = faded(colour, pixels[3]);
}

void multiply_by_alpha(std::span<float> pixels) {
  multiply(pixels);
}

void multiply_by_alpha(std::span<double> pixels) {
  multiply(pixels);
}

void divide_by_alpha(std::span<float> pixels) {
  divide(pixels);
}

void divide_by_alpha(std::span<double> pixels) {
  divide(pixels);
}

Images over_squares(Images image) {
  if (image.channels != 4) return image;
  constexpr int side = 4;
  constexpr std::array<std::uint8_t, 3> white{255, 255, 255},
      light{204, 212, 204};  // both are in write_gif()'s palette
  Images result{1, image.height, image.width, 3, {}};
  result.bytes.reserve(image.bytes.size() / 4 * 3);
  const std::uint8_t* pixel = image.bytes.data();
  for (int row = 0; row < image.height; ++row)
    for (int column = 0; column < image.width; ++column, pixel += rgba) {
      const auto& behind = (row / side + column / side) % 2 == 0 ? white : light;
      for (std::size_t c = 0; c < 3; ++c)
        result.bytes.push_back(
            static_cast<std::uint8_t>((pixel[c] * pixel[3] + behind[c] * (255 - pixel[3]) + 127) / 255));
    }
  return result;
}

}  // namespace data
