#pragma once

#include <string>
#include <vector>

#include "engine/cluster/cluster.h"

namespace apps {

/// Throws Error on all ranks unless they were all started by the same words and compute to the same bits: by one
/// version and precision of the program, on one instruction set and one OpenBLAS.
void require_one_command(const std::vector<std::string>& arguments, const engine::Cluster& ranks);

}  // namespace apps
