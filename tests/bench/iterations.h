#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/options.h"

namespace bench {

/// The first iterations that a median leaves out: memory is still being gathered, and generated images are all alike.
inline constexpr std::int64_t warm_up = 3;

/// `semidual train` with these options on `data`, iterations 0 to `last`: `last`, the median time of the iterations
/// after the warm-up and the longest of all in s, s from the start to the first iteration, H at iterations 0 and 2.
/// Measures in the calling process.
std::vector<double> outer_iterations(const std::string& data, const apps::TrainOptions& options, std::int64_t last);

}  // namespace bench
