// Preloaded (LD_PRELOAD) into a process, fails a call that it makes to write. Of the calls to open, write, fsync,
// close, rename and make what lies in the folder FAULT_ROOT it counts each; with FAULT_COUNT their number is written to
// that file at the end. The call FAULT_AT, from 1, comes out as FAULT_KIND:
//
//   ENOSPC, EIO      that error, from then on where FAULT_STAYS is set
//   short            half of what is to be written is, and with FAULT_STAYS nothing more, ENOSPC
//   loss, loss-kept  the power goes: what was written since a file's last fsync is lost, and with `loss` each name that
//                    was given since its folder's last fsync; the process ends with 137
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

/// The function of this name that the process would have called.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

struct Naming {
  std::string name, former;  // what the name stood for before is kept there; none: nothing
};

class Faults {
 public:
  static Faults& of_process() {
    static Faults faults;  // never destroyed before the last call: it is made by the first
    return faults;
  }

  bool within(const std::string& path) const { return !root_.empty() && path.starts_with(root_); }
  /// The descriptor's path where it was opened to write, or is that of a folder; otherwise empty.
  std::string path_of(int descriptor) {
    const auto found = open_.find(descriptor);
    return found == open_.end() ? "" : found->second;
  }

  /// Counts a call. Whether it is to fail, with errno set.
  bool fails() {
    ++calls_;
    if (calls_ == at_ && kind_.starts_with("loss")) lose();
    if (calls_ != at_ && !(stays_ && at_ > 0 && calls_ > at_)) return false;
    errno = kind_ == "EIO" ? EIO : ENOSPC;
    return true;
  }
  bool halves() const { return kind_ == "short" && calls_ == at_; }

  void opened(int descriptor, const std::string& path, bool emptied) {
    open_[descriptor] = path;
    if (emptied || !durable_.contains(path)) durable_[path] = emptied ? 0 : size_of(path);
  }
  void closed(int descriptor) { open_.erase(descriptor); }
  void synced(int descriptor) {
    const std::string path = path_of(descriptor);
    struct stat status {};
    if (::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode))
      std::erase_if(namings_, [&](const Naming& n) { return n.name.substr(0, n.name.rfind('/')) == path; });
    else
      durable_[path] = size_of(path);
  }
  /// Keeps what `to` stands for, before it is given to another file.
  void names(const std::string& from, const std::string& to) {
    std::string former = to + ".former" + std::to_string(calls_);
    if (!kind_.starts_with("loss") || ::link(to.c_str(), former.c_str()) != 0) former.clear();
    namings_.push_back({to, former});
    durable_[to] = durable_.contains(from) ? durable_[from] : size_of(from);
    durable_.erase(from);
  }

  std::mutex& mutex() { return mutex_; }

 private:
  Faults()
      : root_(variable("FAULT_ROOT")),
        kind_(variable("FAULT_KIND")),
        count_(variable("FAULT_COUNT")),
        at_(std::atol(variable("FAULT_AT").c_str())),
        stays_(!variable("FAULT_STAYS").empty()) {}
  ~Faults() {
    for (const Naming& n : namings_)
      if (!n.former.empty()) ::unlink(n.former.c_str());
    if (count_.empty()) return;
    if (std::FILE* file = next<std::FILE*(const char*, const char*)>("fopen")(count_.c_str(), "w")) {
      std::fprintf(file, "%ld\n", calls_);
      std::fclose(file);
    }
  }

  static long size_of(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_size : 0;
  }

  [[noreturn]] void lose() {
    for (const auto& [path, size] : durable_)
      if (size_of(path) > size) static_cast<void>(!::truncate(path.c_str(), size));
    if (kind_ == "loss")
      for (auto n = namings_.rbegin(); n != namings_.rend(); ++n)
        n->former.empty() ? ::unlink(n->name.c_str())
                          : next<int(const char*, const char*)>("rename")(n->former.c_str(), n->name.c_str());
    for (const Naming& n : namings_)
      if (!n.former.empty()) ::unlink(n.former.c_str());
    ::_exit(137);
  }

  std::string root_, kind_, count_;
  long at_, calls_ = 0;
  bool stays_;
  std::map<int, std::string> open_;      // those that are watched
  std::map<std::string, long> durable_;  // by path, the bytes that were there at the last fsync
  std::vector<Naming> namings_;          // since their folder's last fsync
  std::mutex mutex_;
};

using Lock = std::scoped_lock<std::mutex>;

int open_watched(const char* name, const char* path, int flags, mode_t mode) {
  Faults& faults = Faults::of_process();
  const auto real = next<int(const char*, int, ...)>(name);
  const bool writes = (flags & O_ACCMODE) != O_RDONLY, folder = flags & O_DIRECTORY;
  char absolute[PATH_MAX] = "";
  const std::string full =
      path[0] == '/' || !::getcwd(absolute, sizeof absolute) ? path : std::string(absolute) + '/' + path;
  if (!(writes || folder) || !faults.within(full)) return real(path, flags, mode);
  const Lock lock(faults.mutex());
  if (faults.fails()) return -1;
  const int descriptor = real(path, flags, mode);
  if (descriptor >= 0) faults.opened(descriptor, full, writes && (flags & (O_TRUNC | O_EXCL)));
  return descriptor;
}

/// Calls real() unless the call on this descriptor is to fail.
template <class Real>
auto watched(int descriptor, const Real& real) -> decltype(real()) {
  Faults& faults = Faults::of_process();
  const Lock lock(faults.mutex());
  if (!faults.path_of(descriptor).empty() && faults.fails()) return -1;
  return real();
}

mode_t mode_of(int flags, va_list arguments) {
  return flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
}

std::FILE* fopen_watched(const char* name, const char* path, const char* mode) {
  Faults& faults = Faults::of_process();
  const auto real = next<std::FILE*(const char*, const char*)>(name);
  if (mode[0] == 'r' || !faults.within(path)) return real(path, mode);
  const Lock lock(faults.mutex());
  if (faults.fails()) return nullptr;
  std::FILE* file = real(path, mode);
  if (file) faults.opened(::fileno(file), path, mode[0] == 'w');
  return file;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_watched("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_watched("open64", path, flags, mode);
}

std::FILE* fopen(const char* path, const char* mode) {
  return fopen_watched("fopen", path, mode);
}
std::FILE* fopen64(const char* path, const char* mode) {
  return fopen_watched("fopen64", path, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
  const auto real = next<ssize_t(int, const void*, size_t)>("write");
  Faults& faults = Faults::of_process();
  const Lock lock(faults.mutex());
  if (faults.path_of(descriptor).empty()) return real(descriptor, bytes, count);
  if (!faults.fails()) return real(descriptor, bytes, count);
  if (faults.halves() && count > 1) return real(descriptor, bytes, count / 2);
  return -1;
}

ssize_t writev(int descriptor, const iovec* parts, int count) {
  return watched(descriptor, [&] { return next<ssize_t(int, const iovec*, int)>("writev")(descriptor, parts, count); });
}

int fsync(int descriptor) {
  return watched(descriptor, [&] {
    const int result = next<int(int)>("fsync")(descriptor);
    if (!Faults::of_process().path_of(descriptor).empty()) Faults::of_process().synced(descriptor);
    return result;
  });
}

int close(int descriptor) {
  return watched(descriptor, [&] {
    Faults::of_process().closed(descriptor);
    return next<int(int)>("close")(descriptor);
  });
}

int rename(const char* from, const char* to) {
  Faults& faults = Faults::of_process();
  const auto real = next<int(const char*, const char*)>("rename");
  if (!faults.within(to)) return real(from, to);
  const Lock lock(faults.mutex());
  if (faults.fails()) return -1;
  faults.names(from, to);
  return real(from, to);
}

int mkdir(const char* path, mode_t mode) {
  Faults& faults = Faults::of_process();
  const auto real = next<int(const char*, mode_t)>("mkdir");
  if (!faults.within(path)) return real(path, mode);
  const Lock lock(faults.mutex());
  return faults.fails() ? -1 : real(path, mode);
}

}  // extern "C"
