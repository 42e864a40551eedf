#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "engine/tensor.h"

namespace ot {

/// What a checkpoint holds of something, under the names that it gives its parts.
using NamedTensors = std::vector<std::pair<std::string, engine::Tensor>>;

/// The tensor called `name`. Throws Error where there is none, or one of another shape.
inline const engine::Tensor& find(const NamedTensors& tensors, const std::string& name, const engine::Shape& shape) {
  const auto found = std::ranges::find(tensors, name, &NamedTensors::value_type::first);
  engine::require(found != tensors.end(), "tensor ", name, " ", shape, " is missing");
  engine::require(found->second.defined() && found->second.shape() == shape, "tensor ", name, " is ",
                  found->second.shape(), ", it should be ", shape);
  return found->second;
}

}  // namespace ot
