#pragma once

namespace apps {

inline constexpr const char* version = "0.2.0";

}  // namespace apps
