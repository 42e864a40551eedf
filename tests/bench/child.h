#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bench {

/// Runs `measure` in a process of its own, so that its peak memory is its own, and appends that peak in MB to what it
/// returns. The process that calls must not have run a parallel loop: OpenMP's threads do not survive a fork. Throws
/// engine::Error with the child's own message, after `name`, when it fails.
std::vector<double> in_child(const std::string& name, const std::function<std::vector<double>()>& measure);

}  // namespace bench
