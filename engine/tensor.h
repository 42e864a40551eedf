#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <vector>

#include "engine/pool.h"
#include "engine/real.h"
#include "engine/shape.h"

namespace engine {

/// Part of a name in object files: those compiled for another width of real do not link with these.
template <std::size_t bytes>
struct Width {};

/// A dense row-major array of reals. Copies share the memory (use clone() for one's own); element (i, j) of a
/// [rows, columns] tensor is data()[i * columns + j]. A default-constructed tensor is undefined: no shape, no memory.
class Tensor {
 public:
  Tensor() = default;
  /// Contents undefined. Throws Error when there is no memory.
  explicit Tensor(const Shape& shape, Width<sizeof(real)> = {});
  /// Throws Error unless there is a value for each element.
  Tensor(const Shape& shape, std::span<const real> values);
  Tensor(const Shape& shape, std::initializer_list<real> values)
      : Tensor(shape, std::span(values.begin(), values.size())) {}

  static Tensor full(const Shape& shape, real value);
  static Tensor zeros(const Shape& shape) { return full(shape, 0); }
  static Tensor scalar(real value) { return full({}, value); }

  bool defined() const { return static_cast<bool>(buffer_); }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  /// The size of an axis; negative axes count from the innermost (-1).
  std::int64_t dim(int axis) const { return shape_[axis < 0 ? axis + rank() : axis]; }
  std::int64_t size() const { return defined() ? shape_.size() : 0; }

  real* data() { return static_cast<real*>(buffer_.data()); }
  const real* data() const { return static_cast<const real*>(buffer_.data()); }
  std::span<real> values() { return {data(), static_cast<std::size_t>(size())}; }
  std::span<const real> values() const { return {data(), static_cast<std::size_t>(size())}; }

  /// The value of a one-element tensor. Throws Error for any other.
  real item() const;
  /// The same memory under another shape. Throws Error unless the sizes agree.
  Tensor reshaped(const Shape& shape) const;
  Tensor clone() const;

 private:
  Shape shape_;
  Buffer buffer_;
};

}  // namespace engine
