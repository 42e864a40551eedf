#include "apps/compare/peak_memory.h"

#include <fstream>
#include <string>

#include "engine/pool.h"

namespace apps::comparing {

PeakMemory::PeakMemory() {
  engine::trim_pool();  // what an earlier run has left is not this one's
  std::ofstream reset("/proc/self/clear_refs");
  known_ = static_cast<bool>(reset << 5 << std::flush);  // proc(5): the peak begins anew
}

std::optional<double> PeakMemory::bytes() const {
  std::ifstream status("/proc/self/status");
  if (!known_) return {};
  for (std::string word; status >> word;)
    if (double kilobytes = 0; word == "VmHWM:" && status >> kilobytes) return 1024 * kilobytes;
  return {};
}

}  // namespace apps::comparing
