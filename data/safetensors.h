#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace data {

enum class Dtype { u8, i64, f32, f64 };

/// A named array in C order, its elements little-endian.
struct NamedTensor {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;  ///< empty: a scalar
  std::vector<std::byte> bytes;

  /// T is float (F32), double (F64), std::int64_t (I64) or std::uint8_t (U8). Throws Error unless there is a value for
  /// each element of the shape.
  template <class T>
  static NamedTensor of(std::string name, std::vector<std::int64_t> shape, std::span<const T> values);
  /// The elements as T. Floating-point tensors convert to one another; any other mixture throws Error.
  template <class T>
  std::vector<T> as() const;
};

/// The content of a .safetensors file.
struct Safetensors {
  std::vector<NamedTensor> tensors;             ///< in the order of the file
  std::map<std::string, std::string> metadata;  ///< `__metadata__`

  /// Null if there is none of that name.
  const NamedTensor* find(const std::string& name) const;
};

/// Reads and checks a .safetensors file: u64 header length, a JSON header, and the tensors' bytes in the order of their
/// offsets without holes, and where the metadata have a `crc32` of it all, that it is right. Throws Error, with the
/// file and the rule it breaks, for anything else.
Safetensors read_safetensors(const std::string& path);

/// Writes the file atomically (write_file_atomically), tensors of larger elements first, otherwise in their order, and
/// `crc32` among the metadata: 8 hexadecimal digits, of the JSON with zeros in their place and of the tensors' bytes.
/// Throws Error for a name given twice or `__metadata__`, a tensor whose bytes do not fit its shape, and a file that
/// can't be written.
void write_safetensors(const std::string& path, const Safetensors& content);

}  // namespace data
