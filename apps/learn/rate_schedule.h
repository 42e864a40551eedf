#pragma once

#include <cmath>
#include <numbers>
#include <string>

namespace apps {

/// What a schedule, `constant` or `cosine`, leaves of a rate when it is `progress` far, from 0 to 1; of a cosine
/// `least` at the end, above 0, which optimizers refuse.
inline double share_of_rate(const std::string& schedule, double progress, double least) {
  if (schedule == "constant") return 1;
  return least + (1 - least) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

}  // namespace apps
