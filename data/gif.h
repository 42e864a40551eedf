#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "data/images.h"

namespace data {

/// Writes an animated GIF that plays again and again, atomically: frame(0), ..., frame(count - 1), one image each
/// (count 1) of 1 or 3 channels and all of one size. Each is shown for `hundredths` of a second, the last for
/// `last_hundredths`. Grey is kept exactly; colours are dithered to a palette of 6 reds x 7 greens x 6 blues. Throws
/// Error, naming the file, for no frames, frames that differ in size, and a file that can't be written.
void write_gif(const std::string& path, std::int64_t count, const std::function<Images(std::int64_t)>& frame,
               int hundredths, int last_hundredths);

}  // namespace data
