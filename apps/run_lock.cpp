#include "apps/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <system_error>

#include "apps/out_folder.h"
#include "engine/error.h"

namespace apps {

namespace fs = std::filesystem;
using engine::fail;
using engine::require;

namespace {

fs::path file_in(const fs::path& folder) {
  return folder / "run.lock";
}

/// Whether the open file is still the one of that name, which a process that ended may have removed.
bool is_there(int descriptor, const fs::path& file) {
  struct stat open_one {
  }, named_one{};
  return ::fstat(descriptor, &open_one) == 0 && ::stat(file.c_str(), &named_one) == 0 &&
         open_one.st_ino == named_one.st_ino && open_one.st_dev == named_one.st_dev;
}

std::string holder_of(const fs::path& file) {
  std::string number;
  std::getline(std::ifstream(file), number);
  return number.empty() ? "another process" : "process " + number;
}

}  // namespace

RunLock::RunLock(const fs::path& folder) : folder_(folder) {
  make_out_folder(folder);
  const fs::path file = file_in(folder);
  do {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    require(descriptor_ >= 0, file.string(), ": can't be written: ", std::strerror(errno));
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) continue;
    ::close(descriptor_);
    fail("--out ", folder.string(), " is being trained by ", holder_of(file),
         ": end that first, or give another --out");
  } while (!is_there(descriptor_, file));
  const std::string number = std::to_string(::getpid()) + "\n";
  // What it holds is only told, so that it may as well be missing.
  static_cast<void>(::ftruncate(descriptor_, 0) == 0 &&
                    ::write(descriptor_, number.data(), number.size()) == std::ssize(number));
}

RunLock::~RunLock() {
  std::error_code none;
  fs::remove(file_in(folder_), none);
  ::close(descriptor_);
  fs::remove(folder_, none);
}

}  // namespace apps
