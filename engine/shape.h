#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <ostream>
#include <span>

#include "engine/error.h"

namespace engine {

/// The sizes of a tensor's axes, outermost first; rank 0 is a scalar. Lives on the stack, so that passing shapes
/// around allocates nothing.
class Shape {
 public:
  static constexpr int max_rank = 6;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  /// Throws Error for more than max_rank axes or a negative size.
  explicit Shape(std::span<const std::int64_t> sizes) {
    require(sizes.size() <= max_rank, "[shape] at most ", max_rank, " axes: ", sizes.size());
    for (std::int64_t size : sizes) push_back(size);
  }

  int rank() const { return rank_; }
  std::int64_t operator[](int axis) const { return sizes_[axis]; }
  std::int64_t& operator[](int axis) { return sizes_[axis]; }
  const std::int64_t* begin() const { return sizes_.data(); }
  const std::int64_t* end() const { return sizes_.data() + rank_; }

  /// Appends an innermost axis. Throws Error past max_rank axes or for a negative size.
  void push_back(std::int64_t size) {
    require(rank_ < max_rank, "[shape] at most ", max_rank, " axes");
    require(size >= 0, "[shape] sizes must not be negative: ", size);
    sizes_[rank_++] = size;
  }

  /// The product of the sizes; 1 for a scalar. Throws Error where so many elements would take 2^63 bytes or more.
  std::int64_t size() const {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / sizeof(double);
    if (std::find(begin(), end(), 0) != end()) return 0;
    std::int64_t product = 1;
    for (std::int64_t size : *this)
      if (__builtin_mul_overflow(product, size, &product) || product > most) fail("[shape] too many elements: ", *this);
    return product;
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int axis = 0; axis < a.rank_; ++axis)
      if (a[axis] != b[axis]) return false;
    return true;
  }

  /// Prints as `[200, 784]`.
  friend std::ostream& operator<<(std::ostream& out, const Shape& shape) {
    out << '[';
    for (int axis = 0; axis < shape.rank_; ++axis) out << (axis ? ", " : "") << shape[axis];
    return out << ']';
  }

 private:
  std::array<std::int64_t, max_rank> sizes_{};
  int rank_ = 0;
};

/// `axis` counted from the outermost, where negative ones count from the innermost (-1). Throws Error naming `op` for
/// an axis that the shape does not have.
inline int checked_axis(const char* op, const Shape& shape, int axis) {
  const int from_outermost = axis < 0 ? axis + shape.rank() : axis;
  require(from_outermost >= 0 && from_outermost < shape.rank(), "[", op, "] axis must be in ", -shape.rank(), "..",
          shape.rank() - 1, ": ", axis, " for ", shape);
  return from_outermost;
}

/// A shape seen as [outer, length, inner] around one of its axes.
struct AroundAxis {
  AroundAxis(const Shape& shape, int axis) : length(shape[axis]) {
    for (int i = 0; i < axis; ++i) outer *= shape[i];
    for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  }
  std::int64_t outer = 1, length, inner = 1;
};

}  // namespace engine
