#include "apps/resources.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>

#include "engine/error.h"

namespace apps {

namespace fs = std::filesystem;
using engine::require;

namespace {

std::string megabytes(double bytes) {
  char text[64];
  std::snprintf(text, sizeof text, "%.0f MB", bytes / 1e6);
  return text;
}

/// The number in a file that holds nothing else, infinity where there is none ("max", say).
double number_in(const char* path) {
  double number = std::numeric_limits<double>::infinity();
  std::ifstream file(path);
  return file >> number ? number : std::numeric_limits<double>::infinity();
}

/// What Linux calls available, and no more than a container's limit leaves; infinity where neither is known.
double available_memory() {
  double available = number_in("/sys/fs/cgroup/memory.max") - number_in("/sys/fs/cgroup/memory.current");
  if (!(available >= 0)) available = std::numeric_limits<double>::infinity();
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("MemAvailable:")) return std::min(available, 1024 * std::stod(line.substr(13)));
  return available;
}

}  // namespace

void require_writable(const fs::path& path, double bytes) {
  std::error_code error;
  fs::path existing = fs::absolute(path, error);
  while (!fs::exists(existing, error) && existing.has_relative_path()) existing = existing.parent_path();
  require(::access(existing.c_str(), W_OK) == 0, path.string(), " can't be written: there is no right to write to ",
          existing.string());
  const fs::space_info space = fs::space(existing, error);
  require(error || static_cast<double>(space.available) >= bytes, path.string(), " can't be written: it takes up to ",
          megabytes(bytes), ", the disk has ", megabytes(static_cast<double>(space.available)), " free");
}

void require_memory(double bytes, const std::string& what, const std::string& remedy) {
  const double available = available_memory();
  require(bytes <= available, what, " takes about ", megabytes(bytes), " of memory, ", megabytes(available),
          " are available: ", remedy);
}

}  // namespace apps
