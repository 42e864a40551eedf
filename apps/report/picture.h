#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "data/images.h"

namespace apps::report {

/// RFC 4648, with padding.
std::string base64(std::span<const std::byte> bytes);

/// Every factor x factor square of pixels as one, their mean; at the right and lower edge of what is left of one.
data::Images shrunk(const data::Images& image, int factor);

/// Every value as the nearest of so many levels, 0 and 255 among them; levels >= 2.
data::Images with_levels(const data::Images& image, int levels);

/// A picture inside a page.
struct Picture {
  int width = 0, height = 0;  ///< as it was before it was made smaller
  std::string address;        ///< data:image/...;base64,...

  /// An img element, whose attributes beside `alt` (plain text) are `more`.
  std::string element(const std::string& alt, const std::string& more = "") const;
};

/// An image (count 1) in a file of at most `most` bytes, at least 1000: a PNG of it as it is if that fits, else a grey
/// one in 32 or 16 levels, else a JPEG, else a smaller one.
Picture embedded(const data::Images& image, std::size_t most);

/// The PNG file itself, which holds this image, if it has at most `most` bytes, else what embedded() makes of it.
Picture embedded(std::span<const std::byte> png, const data::Images& image, std::size_t most);

}  // namespace apps::report
