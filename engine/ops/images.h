#pragma once

#include <cstdint>
#include <iosfwd>

#include "engine/tape.h"

namespace engine {

/// Where the batch stands in a stack of images: PyTorch's [B, C, H, W], or innermost, [C, H, W, B], which makes one
/// value of every image contiguous, so that convolutions and batch norms need not rearrange what they read.
enum class Layout { batch_first, batch_last };

/// A number for the rows of an image and one for its columns; one alone holds for both.
struct PerAxis {
  constexpr PerAxis(std::int64_t both) : rows(both), columns(both) {}
  constexpr PerAxis(std::int64_t of_rows, std::int64_t of_columns) : rows(of_rows), columns(of_columns) {}
  bool operator==(const PerAxis&) const = default;

  std::int64_t rows, columns;
};
/// `2` where both are the same, else `2x3`.
std::ostream& operator<<(std::ostream& out, const PerAxis& numbers);

/// The sizes of a stack of images.
struct ImageSizes {
  ImageSizes(const Shape& x, Layout layout);
  std::int64_t batch, channels, height, width;
};

/// [B, C, H, W] -> [C, H, W, B], and back.
Var batch_last(const Var& x);
Var batch_first(const Var& x);

}  // namespace engine
