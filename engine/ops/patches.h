#pragma once

#include "engine/tape.h"

namespace engine {

// The two ops are each other's adjoints, so gradients of any order exist.

/// The squares of `size` x `size` pixels that a kernel sees as it moves over images by `stride`: x [B, C, H, W] ->
/// [B h w, C size size], h = (H - size) / stride + 1 and w alike, the places of an image row by row, a patch in the
/// order of a kernel's weights: conv2d(x, k) holds the products of these rows and those of k. Throws Error unless there
/// is a place in each image, and for a stride below 1.
Var patches(const Var& x, std::int64_t size, std::int64_t stride = 1);

/// Images of `shape` [B, C, H, W], each pixel the sum of what is at its place in patches(), laid out as above. Throws
/// Error in addition where the patches are not those of such images.
Var sum_of_patches(const Var& patches, const Shape& shape, std::int64_t size, std::int64_t stride = 1);

}  // namespace engine
