#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace data {

/// A NumPy array in C order.
struct NpyArray {
  std::string dtype;  ///< "<f4", "<f8", "<i4", "<i8" or "|u1"
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;  ///< the elements, little-endian

  /// The product of the shape.
  std::int64_t size() const;
  /// The elements converted to T (float, double, std::int32_t, std::int64_t or std::uint8_t).
  template <class T>
  std::vector<T> as() const;
};

/// Reads a .npy file, format 1.0 to 3.0; Fortran order is turned into C order. With `first` > 0 at most the first
/// `first` items along the first axis are read. Throws Error for a missing, truncated or malformed file, trailing
/// bytes, big-endian numbers, objects, and any dtype not in NpyArray.
NpyArray read_npy(const std::string& path, std::int64_t first = 0);

/// Writes a .npy file, format 1.0, atomically. T is float, double, std::int32_t, std::int64_t or std::uint8_t. Throws
/// Error unless there is a value for each element of the shape, and when the file can't be written.
template <class T>
void write_npy(const std::string& path, const std::vector<std::int64_t>& shape, std::span<const T> values);

}  // namespace data
