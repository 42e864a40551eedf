#pragma once

#include <algorithm>
#include <cmath>
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

/// The whole number that an element of the tensor called `name` stands for. Throws Error where it is none below 2^31.
inline int whole_number(const std::string& name, engine::real element) {
  engine::require(std::abs(element) < 0x1p31 && element == std::trunc(element), "tensor ", name, " holds ", element,
                  " where it should hold a whole number");
  return static_cast<int>(element);
}

}  // namespace ot
