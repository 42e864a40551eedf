#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "apps/run_folder.h"

namespace apps::report {

/// At most `most` >= 2 of 0..n-1, in even steps, the first and the last among them.
std::vector<std::size_t> spread(std::size_t n, std::size_t most);

/// The section with the pictures of samples of a run, of images or of points, at most 24 of them, of which a slider
/// shows one; empty where there is none that can be read.
std::string samples_section(const RunFolder& run, bool images);

}  // namespace apps::report
