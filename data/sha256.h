#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace data {

/// The SHA-256 digest (FIPS 180-4) of bytes that come one part after the other.
class Sha256 {
 public:
  Sha256();
  void add(std::span<const std::byte> bytes);
  /// That of all bytes so far, as 64 lower-case hexadecimal digits.
  std::string digest() const;

 private:
  static constexpr std::size_t block = 64;

  std::array<std::uint32_t, 8> state_;
  std::array<std::byte, block> rest_{};  // what has come of the block that is not full
  std::uint64_t length_ = 0;             // of all bytes
};

/// The digest of the bytes.
std::string sha256(std::span<const std::byte> bytes);

}  // namespace data
