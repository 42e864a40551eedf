#include "data/utf8.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "engine/error.h"

namespace data {

bool is_utf8(std::string_view text) {
  if (std::ranges::all_of(text, [](unsigned char c) { return c < 0x80; })) return true;
  try {
    static_cast<void>(nlohmann::json(text).dump());
  } catch (const nlohmann::json::exception&) {
    return false;
  }
  return true;
}

void require_utf8(const std::string& name) {
  engine::require(is_utf8(name), name, ": is no UTF-8; rename it");
}

}  // namespace data
