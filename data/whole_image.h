#pragma once

#include <string_view>

namespace data {

/// The formats of images that are read, told by a file's first bytes.
enum class ImageFormat { png, jpeg, bmp, pnm, other };
ImageFormat format_of(std::string_view content);
const char* name_of(ImageFormat format);

/// Whether all of such a file is there, what it has checksums of is sound, and so many pixels can be in it: stb_image
/// does not look.
bool is_whole(ImageFormat format, std::string_view content);

/// The largest value of a pixel in a sound PGM or PPM file, white.
unsigned white_of_pnm(std::string_view content);

}  // namespace data
