#pragma once

#include "engine/tape.h"

namespace engine {

/// Where the batch stands in a stack of images: PyTorch's [B, C, H, W], or innermost, [C, H, W, B], which makes one
/// value of every image contiguous, so that convolutions and batch norms need not rearrange what they read.
enum class Layout { batch_first, batch_last };

/// The sizes of a stack of images.
struct ImageSizes {
  ImageSizes(const Shape& x, Layout layout);
  std::int64_t batch, channels, height, width;
};

/// [B, C, H, W] -> [C, H, W, B], and back.
Var batch_last(const Var& x);
Var batch_first(const Var& x);

}  // namespace engine
