#include "apps/report/picture.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "apps/report/page.h"
#include "data/encoded_image.h"
#include "engine/error.h"

namespace apps::report {

namespace {

std::string address(const char* type, std::span<const std::byte> file) {
  return engine::text("data:image/", type, ";base64,", base64(file));
}

}  // namespace

std::string base64(std::span<const std::byte> bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < here ? std::to_integer<unsigned>(bytes[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k) text += k <= here ? digits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

data::Images shrunk(const data::Images& image, int factor) {
  if (factor == 1) return image;
  const auto parts = [&](int pixels) { return (pixels + factor - 1) / factor; };
  data::Images small{1, parts(image.height), parts(image.width), image.channels, {}};
  for (int row = 0; row < small.height; ++row)
    for (int column = 0; column < small.width; ++column)
      for (int channel = 0; channel < image.channels; ++channel) {
        int sum = 0, pixels = 0;
        for (int y = row * factor; y < std::min(image.height, (row + 1) * factor); ++y)
          for (int x = column * factor; x < std::min(image.width, (column + 1) * factor); ++x, ++pixels)
            sum +=
                image.bytes[(std::size_t(y) * std::size_t(image.width) + std::size_t(x)) * std::size_t(image.channels) +
                            std::size_t(channel)];
        small.bytes.push_back(static_cast<std::uint8_t>((sum + pixels / 2) / pixels));
      }
  return small;
}

data::Images with_levels(const data::Images& image, int levels) {
  data::Images coarse = image;
  const int last = levels - 1;
  for (std::uint8_t& value : coarse.bytes) {
    const int level = (value * last + 127) / 255;
    value = static_cast<std::uint8_t>((level * 255 + last / 2) / last);
  }
  return coarse;
}

std::string Picture::element(const std::string& alt, const std::string& more) const {
  return engine::text("<img src=\"", address, "\" width=\"", width, "\" height=\"", height, "\" alt=\"", escaped(alt),
                      '"', more.empty() ? "" : " ", more, '>');
}

Picture embedded(const data::Images& image, std::size_t most) {
  // No file is less than a thirtieth of the pixels of a picture that shows something.
  const double crowded = static_cast<double>(image.bytes.size()) / (30 * static_cast<double>(most));
  for (int factor = std::max(1, static_cast<int>(std::ceil(std::sqrt(crowded))));; ++factor) {
    const data::Images small = shrunk(image, factor);
    for (const int levels : {256, 32, 16}) {
      if (levels < 256 && small.channels == 3) continue;             // a JPEG of colours shows no bands
      if (levels == 256 && small.bytes.size() > 2 * most) continue;  // hardly ever fits, and costs the most time
      if (const auto file = data::encode_png(with_levels(small, levels)); file.size() <= most)
        return {image.width, image.height, address("png", file)};
    }
    for (const int quality : {85, 60})
      if (const auto file = data::encode_jpeg(small, quality); file.size() <= most)
        return {image.width, image.height, address("jpeg", file)};
  }
}

Picture embedded(std::span<const std::byte> png, const data::Images& image, std::size_t most) {
  if (png.size() > most) return embedded(image, most);
  return {image.width, image.height, address("png", png)};
}

}  // namespace apps::report
