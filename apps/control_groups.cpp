#include "apps/control_groups.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace apps {

namespace fs = std::filesystem;

namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();

/// The number that a file begins with; infinity where there is none, or "max".
double number_in(const fs::path& path) {
  double number = unbounded;
  std::ifstream file(path);
  return file >> number ? number : unbounded;
}

/// The number after a word at the start of a line; 0 where there is none.
double number_after(const std::string& word, const fs::path& path) {
  std::ifstream file(path);
  for (std::string name, value; file >> name >> value;)
    if (name == word) return std::stod(value);
  return 0;
}

double left(double most, double taken, double cached) {
  return most < unbounded && taken < unbounded ? std::max(most - taken + cached, 0.0) : unbounded;
}

double cores_of(double quota, double period) {
  return quota > 0 && quota < unbounded && period > 0 && period < unbounded ? quota / period : unbounded;
}

/// A folder of either version; files of the other are not there, and bound nothing.
GroupBounds bounds_of(const fs::path& group) {
  GroupBounds bounds;
  std::ifstream cpu(group / "cpu.max");
  if (double quota = 0, period = 0; cpu >> quota >> period) bounds.cores = cores_of(quota, period);
  bounds.cores =
      std::min(bounds.cores, cores_of(number_in(group / "cpu.cfs_quota_us"), number_in(group / "cpu.cfs_period_us")));
  const fs::path stat = group / "memory.stat";
  bounds.memory = std::min(
      left(number_in(group / "memory.max"), number_in(group / "memory.current"), number_after("inactive_file", stat)),
      left(number_in(group / "memory.limit_in_bytes"), number_in(group / "memory.usage_in_bytes"),
           number_after("total_inactive_file", stat)));
  return bounds;
}

/// Where a hierarchy's folders may be mounted, by the controllers of its line in /proc/self/cgroup: none for version 2.
std::vector<fs::path> mounts_of(const fs::path& root, const std::string& controllers) {
  const fs::path groups = root / "sys/fs/cgroup";
  if (controllers.empty()) return {groups, groups / "unified"};
  std::vector<fs::path> mounts{groups / controllers};
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');) mounts.push_back(groups / name);
  return mounts;
}

}  // namespace

GroupBounds group_bounds(const fs::path& root) {
  GroupBounds least;
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string number, controllers, path;
       std::getline(file, number, ':') && std::getline(file, controllers, ':') && std::getline(file, path);)
    for (const fs::path& mount : mounts_of(root, controllers))
      // In a container the path is the host's and its folders are not there, but for the mount itself.
      for (fs::path group = fs::path(path).relative_path();; group = group.parent_path()) {
        const GroupBounds bounds = bounds_of(mount / group);
        least.cores = std::min(least.cores, bounds.cores);
        least.memory = std::min(least.memory, bounds.memory);
        if (group.empty()) break;
      }
  return least;
}

}  // namespace apps
