#pragma once

#include <filesystem>
#include <limits>

namespace apps {

/// What Linux's control groups (of version 1 or 2), by which containers and batch systems are bounded, leave a process;
/// infinity where they set no bound.
struct GroupBounds {
  double cores = std::numeric_limits<double>::infinity();
  double memory = std::numeric_limits<double>::infinity();  ///< bytes that are not taken yet, counting file caches free
};

/// The bounds of this process: the least of its groups and of those above them. `root` is where /proc and /sys are.
GroupBounds group_bounds(const std::filesystem::path& root = "/");

}  // namespace apps
