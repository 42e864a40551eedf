#pragma once

#include <cstdint>

#include "engine/tape.h"

namespace apps {

/// The next coarser scale of images [B, C, H, W]: a Gaussian of 4x4 pixels and deviation 1 at every other pixel, no
/// padding, [B, C, coarser_size(H), coarser_size(W)]. Throws Error for images of less than 4x4 pixels.
engine::Var coarser(const engine::Var& images);
/// floor((size - 4) / 2) + 1, 0 for less than 4.
std::int64_t coarser_size(std::int64_t size);

/// The other way: images of height x width pixels that look like these, whose coarser scale has these sizes, between
/// the centres of coarser() linear, beyond the outermost constant.
engine::Tensor finer(const engine::Tensor& images, std::int64_t height, std::int64_t width);

}  // namespace apps
