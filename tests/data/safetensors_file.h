#pragma once

#include <cstdint>
#include <cstring>
#include <string>

/// A .safetensors file's content: the length of the JSON, the JSON, the tensors' bytes.
inline std::string safetensors_file(const std::string& json, const std::string& numbers) {
  const std::uint64_t length = json.size();
  std::string prefix(8, '\0');
  std::memcpy(prefix.data(), &length, 8);
  return prefix + json + numbers;
}
