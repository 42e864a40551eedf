#include "apps/control_groups.h"

#include <cmath>
#include <fstream>

#include <doctest/doctest.h>

#include "tests/apps/program.h"

namespace {

/// A /proc and /sys of our own.
class System {
 public:
  void put(const std::string& path, const std::string& content) {
    const std::filesystem::path file = temporary_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }
  apps::GroupBounds bounds() const { return apps::group_bounds(temporary_ / ""); }

 private:
  TemporaryFolder temporary_;
};

}  // namespace

TEST_CASE("without control groups nothing is bounded") {
  System system;
  CHECK(system.bounds().cores == INFINITY);
  CHECK(system.bounds().memory == INFINITY);
  system.put("proc/self/cgroup", "0::/user.slice/session\n");
  system.put("sys/fs/cgroup/user.slice/session/cpu.max", "max 100000\n");
  system.put("sys/fs/cgroup/user.slice/session/memory.max", "max\n");
  system.put("sys/fs/cgroup/user.slice/session/memory.current", "5000\n");
  CHECK(system.bounds().cores == INFINITY);
  CHECK(system.bounds().memory == INFINITY);
}

TEST_CASE("of version 2 the least bound of a group and those above it holds; file caches are free") {
  System system;
  system.put("proc/self/cgroup", "0::/a/b\n");
  system.put("sys/fs/cgroup/a/b/cpu.max", "250000 100000\n");
  system.put("sys/fs/cgroup/a/cpu.max", "400000 100000\n");
  system.put("sys/fs/cgroup/a/b/memory.max", "9000\n");
  system.put("sys/fs/cgroup/a/b/memory.current", "1000\n");
  system.put("sys/fs/cgroup/a/memory.max", "5000\n");
  system.put("sys/fs/cgroup/a/memory.current", "4000\n");
  system.put("sys/fs/cgroup/a/memory.stat", "anon 700\ninactive_file 300\nfile 350\n");
  CHECK(system.bounds().cores == 2.5);
  CHECK(system.bounds().memory == 1300);
}

TEST_CASE("of version 1, and in a container whose path is the host's, the bounds of the mount hold") {
  System system;
  system.put("proc/self/cgroup", "4:memory:/docker/1234\n1:cpu,cpuacct:/docker/1234\n0::/\n");
  system.put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9000\n");
  system.put("sys/fs/cgroup/memory/memory.usage_in_bytes", "9500\n");
  system.put("sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 700\n");
  system.put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");
  system.put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(system.bounds().cores == 1.5);
  CHECK(system.bounds().memory == 200);
  system.put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  CHECK(system.bounds().cores == INFINITY);
}
