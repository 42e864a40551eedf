#pragma once

namespace apps {

inline constexpr const char* version = "0.1.0";

}  // namespace apps
