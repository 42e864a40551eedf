#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace data {

/// The SHA-256 digest (FIPS 180-4) of the bytes, as 64 lower-case hexadecimal digits.
std::string sha256(std::span<const std::byte> bytes);

}  // namespace data
