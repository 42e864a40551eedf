#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "data/file.h"
#include "engine/error.h"

namespace apps {

/// The JSON in a file; discarded() where it holds none. Throws engine::Error, naming it, where it can't be read.
inline nlohmann::ordered_json read_json(const std::string& path) {
  const std::vector<std::byte> bytes = data::read_file(path);
  const char* text = reinterpret_cast<const char*>(bytes.data());
  return nlohmann::ordered_json::parse(text, text + bytes.size(), nullptr, false);
}

/// The value that JSON holds. Throws engine::Error, which begins with `what`, a file and a key, for one of another type
/// and, unlike nlohmann's get(), which casts it, for a number that is none of the integers of the type.
template <class Value, class Json>
Value json_value(const Json& json, const std::string& what) {
  bool fits = true;
  if constexpr (std::integral<Value> && !std::same_as<Value, bool>) {
    fits = json.is_number_unsigned()
               ? std::in_range<Value>(json.template get<std::uint64_t>())
               : json.is_number_integer() && std::in_range<Value>(json.template get<std::int64_t>());
  }
  try {
    if (fits) return json.template get<Value>();
  } catch (const nlohmann::json::exception&) {  // of another type
  }
  engine::fail(what, " can't be ", json.dump());
}

}  // namespace apps
