#pragma once

#include <span>
#include <string>

#include "data/images.h"
#include "engine/real.h"

namespace data {

/// `rows` x `columns` images side by side, row by row and without gaps: one image of rows * height by columns * width
/// pixels. `values` is [rows * columns, height * width * channels], the channels (1: grey, 3: colour, 4: colour times
/// alpha, and alpha, which the image has as they are) of a pixel next to each other, 0 black to 1 full; what lies
/// outside is clamped, NaN becomes 0. Throws Error when the sizes do not agree.
Images image_grid(std::span<const engine::real> values, int height, int width, int channels, int rows, int columns);

/// Writes one image (count 1) as a PNG, atomically. Throws Error, naming the file, where it can't be encoded or
/// written.
void write_png(const std::string& path, const Images& image);

/// Writes image_grid(), what is transparent over_squares(), as a PNG, atomically. Throws Error, naming the file, in
/// addition when it can't be written.
void write_png_grid(const std::string& path, std::span<const engine::real> values, int height, int width, int channels,
                    int rows, int columns);

}  // namespace data
