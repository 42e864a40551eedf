#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/tensor.h"

namespace ot {

/// What a checkpoint holds of something, under the names that it gives its parts.
using NamedTensors = std::vector<std::pair<std::string, engine::Tensor>>;

}  // namespace ot
