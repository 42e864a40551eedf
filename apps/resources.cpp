#include "apps/resources.h"

#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>

#include "apps/control_groups.h"
#include "engine/address_space.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace apps {

namespace fs = std::filesystem;
using engine::require;

namespace {

std::string megabytes(double bytes) {
  char text[64];
  std::snprintf(text, sizeof text, "%.0f MB", bytes / 1e6);
  return text;
}

/// Those of the machine, less where a control group bounds them.
int machine_cores() {
  return static_cast<int>(
      std::min(static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN)), std::ceil(group_bounds().cores)));
}

/// What Linux calls available, and no more than control groups and limits leave; infinity where none is known.
double available_memory() {
  const double bounded = std::min(group_bounds().memory, engine::address_space_left());
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("MemAvailable:")) return std::min(bounded, 1024 * std::stod(line.substr(13)));
  return bounded;
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

void share_cores(int processes) {
  if (processes > 1 && !std::getenv("OMP_NUM_THREADS")) omp_set_num_threads(std::max(1, machine_cores() / processes));
}

std::string note_on_cores(int processes) {
  if (processes <= machine_cores()) return "";
  return engine::text(processes, " ranks share the ", machine_cores(),
                      " cores of this machine and wait for each other: ", "fewer are faster");
}

int usable_cores() {
  // By affinity and OMP_NUM_THREADS, before OpenBLAS is asked for one thread a call, which may be OpenMP's.
  static const int cores =
      std::clamp(static_cast<int>(std::min<double>(std::min(omp_get_num_procs(), omp_get_max_threads()),
                                                   std::ceil(group_bounds().cores))),
                 1, engine::max_threads);
  return cores;
}

void require_memory(double bytes, const std::string& what, const std::string& remedy) {
  const double available = available_memory();
  require(bytes <= available, what, " takes about ", megabytes(bytes), " of memory, ", megabytes(available),
          " are available: ", remedy);
}

}  // namespace apps
