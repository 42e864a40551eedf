#pragma once

#include <cstddef>
#include <vector>

#include "data/images.h"

namespace data {

/// One image (images.count is 1) as the bytes of a PNG file. Throws Error for any other count, for one of 2 GB or more,
/// and where it can't be encoded.
std::vector<std::byte> encode_png(const Images& image);

/// The same as a JPEG file of a quality from 1 to 100, which is not exact and has no alpha.
std::vector<std::byte> encode_jpeg(const Images& image, int quality);

}  // namespace data
