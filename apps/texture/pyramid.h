#pragma once

#include <cstdint>

#include "engine/tape.h"

namespace apps {

// Images are [B, C, H, W].

/// The next coarser scale: a Gaussian of 4x4 pixels and deviation 1 at every other pixel, no padding,
/// [B, C, coarser_size(H), coarser_size(W)]. Throws Error for images of less than 4x4 pixels.
engine::Var coarser(const engine::Var& images);
/// floor((size - 4) / 2) + 1, 0 for less than 4.
std::int64_t coarser_size(std::int64_t size);

/// Images that go on beyond their edges as if they were repeated there: with their last `before` rows and columns
/// before the first and their first `after` behind the last. coarser(wrapped(x, 1, 1)) has half the size of x, where
/// that is even, and may be repeated too. Throws Error for more rows or columns than there are.
engine::Var wrapped(const engine::Var& images, std::int64_t before, std::int64_t after);

/// Images of twice the height and width, as if repeated, linear between the centres that coarser(wrapped(x, 1, 1)) has.
engine::Tensor finer(const engine::Tensor& images);

}  // namespace apps
