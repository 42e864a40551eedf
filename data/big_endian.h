#pragma once

#include <cstddef>
#include <string_view>

namespace data {

/// The number in the first `size` bytes of `at`, which must hold so many, the most significant first.
inline std::size_t big_endian(std::string_view at, std::size_t size) {
  std::size_t value = 0;
  for (const char byte : at.substr(0, size)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace data
