#pragma once

#include <string>

#include "data/images.h"
#include "engine/tensor.h"

namespace apps {

/// The first of the images as a tensor, [1, C, H, W], 0 black to 1 full.
engine::Tensor tensor_of(const data::Images& image);
/// Writes such a tensor as a .png file. Throws Error where it can't be written.
void write_image(const std::string& path, const engine::Tensor& image);

}  // namespace apps
