#pragma once

#include <span>
#include <string>

#include "engine/real.h"

namespace data {

/// Writes `rows` x `columns` images side by side, row by row and without gaps, as a PNG of rows * height by
/// columns * width pixels, atomically. `values` is [rows * columns, height * width * channels], the channels (1: grey,
/// 3: colour) of a pixel next to each other, 0 black to 1 full; what lies outside is clamped, NaN becomes 0. Throws
/// Error when the sizes do not agree or the file can't be written.
void write_png_grid(const std::string& path, std::span<const engine::real> values, int height, int width, int channels,
                    int rows, int columns);

}  // namespace data
