#pragma once

#include <string>
#include <string_view>

namespace data {

bool is_utf8(std::string_view text);

/// Throws Error where a name that a file is to hold, with what says whose it is before it, is no UTF-8.
void require_utf8(const std::string& name);

}  // namespace data
