#pragma once

#include <filesystem>

namespace apps {

/// Keeps other processes from training into a run folder while it lives, by a lock on the file `run.lock` there, which
/// holds the process's number. The system gives the lock up when the process ends, however it does.
class RunLock {
 public:
  /// Makes the folder if it is missing. Throws Error, with the other's number, where another process holds the lock,
  /// and where the folder can't be written. On a file system without locks it does nothing.
  explicit RunLock(const std::filesystem::path& folder);
  /// Removes the file, and the folder if nothing else is in it.
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  std::filesystem::path folder_;
  int descriptor_ = -1;
};

}  // namespace apps
