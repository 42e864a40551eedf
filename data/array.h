#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/shared_span.h"

namespace data {

/// Numbers of one type in C order, as a file holds them.
struct Array {
  std::string dtype;  ///< NumPy's name of the type: one of numeric_dtypes, little-endian
  std::vector<std::int64_t> shape;
  engine::SharedSpan<std::uint8_t> bytes;  ///< the elements, which may lie in the file itself

  /// The product of the shape.
  std::int64_t size() const;
  /// The elements converted to T (float, double, std::int32_t, std::int64_t or std::uint8_t); truths are 0 and 1.
  template <class T>
  std::vector<T> as() const;
  /// The same for float and double, without a copy where that is what the elements are.
  template <class T>
  engine::SharedSpan<T> shared() const;
};

/// The types that are read: floats of 16, 32 and 64 bits, integers with and without sign, truth values.
std::span<const std::string_view> numeric_dtypes();

/// The bytes that an element of one of numeric_dtypes takes.
std::size_t item_size(std::string_view dtype);

/// The number of elements. Throws Error, beginning with `path`, where it is beyond 64 bits.
std::uint64_t checked_product(const std::string& path, std::span<const std::int64_t> shape, std::uint64_t item);

/// Reverses the bytes of each number.
void reverse_numbers(std::span<std::uint8_t> bytes, std::size_t item);

}  // namespace data
