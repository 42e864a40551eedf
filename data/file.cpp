#include "data/file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/error.h"

namespace data {

namespace {

using engine::fail;
using engine::require;

[[noreturn]] void fail_to_read(const std::string& path) {
  fail(path, ": can't be read: ", std::strerror(errno));
}

[[noreturn]] void fail_to_write(const std::string& path) {
  fail(path, ": can't be written: ", std::strerror(errno));
}

bool write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), std::min<std::size_t>(bytes.size(), 1 << 30));
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// In the name of a temporary file, behind that of its target.
constexpr const char* before_id = ".tmp-";

// A descriptor that is closed, and a file that is removed, unless the write went through.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& target) {
    static std::atomic<unsigned> number = 0;
    do {  // a process that was killed, in another container perhaps, may have had this one's id
      path_ = engine::text(target, before_id, ::getpid(), '-', number++);
      descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (descriptor_ < 0 && errno == EEXIST);
    if (descriptor_ < 0) fail_to_write(target);
  }
  ~TemporaryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool write(std::span<const std::byte> bytes) { return write_all(descriptor_, bytes); }
  bool close() { return ::fsync(descriptor_) == 0 && ::close(std::exchange(descriptor_, -1)) == 0; }
  bool rename_to(const std::string& target) {
    if (std::rename(path_.c_str(), target.c_str()) != 0) return false;
    path_.clear();
    return true;
  }

 private:
  std::string path_;
  int descriptor_ = -1;
};

// Makes a rename in the folder durable. Some file systems can't sync a folder; theirs is the choice.
void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

InputFile::InputFile(const std::string& path) : path_(path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) fail_to_read(path);
  require(S_ISREG(status.st_mode), path, ": is ", S_ISDIR(status.st_mode) ? "a folder" : "not a regular file",
          ", give a file");
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail_to_read(path);
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void InputFile::read(std::span<std::byte> destination) {
  while (!destination.empty()) {
    const ssize_t count = ::read(descriptor_, destination.data(), std::min<std::size_t>(destination.size(), 1 << 30));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_to_read(path_);
    require(count > 0, path_, ": truncated: it ends after ", position_, " bytes");
    position_ += static_cast<std::uint64_t>(count);
    destination = destination.subspan(static_cast<std::size_t>(count));
  }
}

engine::SharedSpan<std::uint8_t> InputFile::map() const {
  if (size_ == 0) return {};
  void* const start = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor_, 0);
  if (start == MAP_FAILED) fail_to_read(path_);
  const auto unmap = [size = size_](const std::uint8_t* bytes) { ::munmap(const_cast<std::uint8_t*>(bytes), size); };
  const std::shared_ptr<const std::uint8_t> owner(static_cast<const std::uint8_t*>(start), unmap);
  return {std::span(owner.get(), size_), owner};
}

std::vector<std::byte> read_file(const std::string& path) {
  InputFile file(path);
  std::vector<std::byte> bytes(file.size());
  file.read(bytes);
  return bytes;
}

void write_file_atomically(const std::string& path, std::span<const std::span<const std::byte>> chunks) {
  // A rename would silently replace a device or a pipe by a file.
  struct stat status {};
  require(::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode), path,
          ": can't be written: there is something there that is not a file");
  TemporaryFile temporary(path);
  for (const auto chunk : chunks)
    if (!temporary.write(chunk)) fail_to_write(path);
  if (!temporary.close() || !temporary.rename_to(path)) fail_to_write(path);
  sync_folder(std::filesystem::path(path).parent_path());
}

void write_file_atomically(const std::string& path, std::string_view text) {
  const std::span<const std::byte> chunk = bytes_of(text);
  write_file_atomically(path, std::span(&chunk, 1));
}

std::string target_of(const std::string& path) {
  const std::size_t mark = path.rfind(before_id);
  return mark == path.npos || path.find('/', mark) != path.npos ? path : path.substr(0, mark);
}

void remove_unfinished(const std::string& path) {
  const std::filesystem::path target = path, folder = target.has_parent_path() ? target.parent_path() : ".";
  const std::string beginning = target.filename().string() + before_id;
  std::error_code error;
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().filename().string().starts_with(beginning)) found.push_back(entry.path());
  for (const std::filesystem::path& file : found) std::filesystem::remove(file, error);
}

AppendedFile::AppendedFile(const std::string& path)
    : path_(path), descriptor_(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)) {
  if (descriptor_ < 0) fail_to_write(path_);
}

AppendedFile::~AppendedFile() {
  ::close(descriptor_);
}

void AppendedFile::append(std::string_view text) {
  if (!write_all(descriptor_, bytes_of(text))) fail_to_write(path_);
}

void AppendedFile::sync() {
  if (::fsync(descriptor_) != 0) fail_to_write(path_);
}

}  // namespace data
