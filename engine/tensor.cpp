#include "engine/tensor.h"

#include <algorithm>

namespace engine {

Tensor::Tensor(const Shape& shape, Width<sizeof(real)>)
    : shape_(shape), buffer_(static_cast<std::size_t>(shape.size()) * sizeof(real)) {}

Tensor::Tensor(const Shape& shape, std::span<const real> values) : Tensor(shape) {
  require(static_cast<std::int64_t>(values.size()) == size(), "[tensor] one value for each element: ", values.size(),
          " values for ", shape);
  std::copy(values.begin(), values.end(), data());
}

Tensor Tensor::full(const Shape& shape, real value) {
  Tensor tensor(shape);
  std::fill_n(tensor.data(), tensor.size(), value);
  return tensor;
}

real Tensor::item() const {
  require(size() == 1, "[item] the tensor must have one element: ", shape_);
  return *data();
}

Tensor Tensor::reshaped(const Shape& shape) const {
  require(shape.size() == size(), "[reshape] sizes must agree: ", shape_, " to ", shape);
  Tensor result = *this;
  result.shape_ = shape;
  return result;
}

Tensor Tensor::clone() const {
  return defined() ? Tensor(shape_, values()) : Tensor();
}

}  // namespace engine
