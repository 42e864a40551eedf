#include "data/file.h"

#include <csignal>
#include <cstring>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/data/files.h"

using doctest::Contains;

namespace {

std::string text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// While it lives, no file grows beyond `bytes`: a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

// While it lives, standard input is closed.
class ClosedInput {
 public:
  ClosedInput() : kept_(::dup(STDIN_FILENO)) { ::close(STDIN_FILENO); }
  ~ClosedInput() {
    if (kept_ < 0) return;
    ::dup2(kept_, STDIN_FILENO);
    ::close(kept_);
  }
  ClosedInput(const ClosedInput&) = delete;
  ClosedInput& operator=(const ClosedInput&) = delete;

 private:
  int kept_;
};

}  // namespace

TEST_CASE("a file is written in chunks, replaced as a whole and read back") {
  TemporaryFolder folder;
  const std::string path = folder / "a";
  const std::string one = "one", two = std::string("t\0o", 3);
  const std::span<const std::byte> chunks[] = {std::as_bytes(std::span(one)), {}, std::as_bytes(std::span(two))};
  data::write_file_atomically(path, chunks);
  CHECK(text(data::read_file(path)) == one + two);
  data::write_file_atomically(path, "");
  CHECK(data::read_file(path).empty());
  CHECK(folder.count() == 1);
}

TEST_CASE("a written file has the permissions that any new file has") {
  TemporaryFolder folder;
  put(folder / "plain", "x");
  data::write_file_atomically(folder / "atomic", "x");
  struct stat plain {
  }, atomic{};
  REQUIRE(stat((folder / "plain").c_str(), &plain) == 0);
  REQUIRE(stat((folder / "atomic").c_str(), &atomic) == 0);
  CHECK(plain.st_mode == atomic.st_mode);
}

TEST_CASE("a write that fails leaves the old file and no temporary one") {
  TemporaryFolder folder;
  data::write_file_atomically(folder / "a", "old");
  for (const rlim_t size : {0, 1, 4095, 4096, 9999}) {
    const FullDisk full(size);
    CHECK_THROWS_WITH_AS(data::write_file_atomically(folder / "a", std::string(10000, 'n')),
                         Contains(((folder / "a") + ": can't be written: ").c_str()), engine::Error);
  }
  CHECK(get(folder / "a") == "old");
  CHECK(folder.count() == 1);
}

TEST_CASE("temporary files that another process of this number has left are in no one's way") {
  TemporaryFolder folder;
  for (int number = 0; number < 10000; ++number)
    std::filesystem::create_symlink("gone", folder / engine::text("a.tmp-", ::getpid(), '-', number));
  data::write_file_atomically(folder / "a", "new");
  CHECK(get(folder / "a") == "new");
  put(folder / "b.tmp-1-0", "of another file");
  put(folder / "a.tmp", "no temporary file");
  data::remove_unfinished(folder / "a");
  CHECK(get(folder / "a") == "new");
  CHECK(folder.count() == 3);
  data::remove_unfinished(folder / "none/a");
  CHECK(data::target_of("a.tmp-1/b.tmp-1-0") == "a.tmp-1/b");
  CHECK(data::target_of("a.tmp-1/b") == "a.tmp-1/b");
}

TEST_CASE("a file that can't be written is refused by name") {
  TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(data::write_file_atomically(folder / "none/a", "x"), Contains("No such file"), engine::Error);
  CHECK_THROWS_WITH_AS(data::write_file_atomically(folder.path(), "x"), Contains("something there that is not a file"),
                       engine::Error);
  CHECK_THROWS_WITH_AS(data::write_file_atomically("/dev/null", "x"), Contains("/dev/null: can't be written"),
                       engine::Error);
  CHECK(folder.count() == 0);
}

TEST_CASE("a file grows at its end, and is refused by name where it is missing or there is no room") {
  TemporaryFolder folder;
  const std::string path = folder / "log";
  CHECK_THROWS_WITH_AS(data::AppendedFile{path}, Contains("log: can't be written: No such file"), engine::Error);
  data::write_file_atomically(path, "one\n");
  data::AppendedFile file(path);
  file.append("two\n");
  CHECK(text(data::read_file(path)) == "one\ntwo\n");
  file.sync();
  file.append("");
  CHECK(text(data::read_file(path)) == "one\ntwo\n");
  data::AppendedFile full("/dev/full");
  CHECK_THROWS_WITH_AS(full.append("x"), "/dev/full: can't be written: No space left on device", engine::Error);
}

TEST_CASE("a file that can't be read is refused by name") {
  TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(data::read_file(folder / "a"), Contains(((folder / "a") + ": can't be read: No such").c_str()),
                       engine::Error);
  CHECK_THROWS_WITH_AS(data::read_file(folder.path()), Contains("is a folder, give a file"), engine::Error);
  CHECK_THROWS_WITH_AS(data::read_file("/dev/null"), Contains("not a regular file"), engine::Error);
  const std::string unreadable = "/proc/self/mem";  // Linux has it; nothing is at its beginning
  if (!std::filesystem::exists(unreadable)) return;
  std::byte some{};
  CHECK_THROWS_WITH_AS(data::InputFile(unreadable).read(std::span(&some, 1)), Contains("mem: can't be read: "),
                       engine::Error);
}

TEST_CASE("files are read and written where standard input is closed, and take its number") {
  TemporaryFolder folder;
  const std::string path = folder / "a";
  const ClosedInput closed;
  data::write_file_atomically(path, "one ");
  data::AppendedFile(path).append("two");
  CHECK(text(data::read_file(path)) == "one two");
}

TEST_CASE("an input file counts what is left and refuses to read beyond its end") {
  TemporaryFolder folder;
  put(folder / "a", "12345");
  data::InputFile file(folder / "a");
  std::vector<std::byte> some(3);
  file.read(some);
  CHECK(text(some) == "123");
  CHECK(file.size() == 5);
  CHECK(file.left() == 2);
  CHECK_THROWS_WITH_AS(file.read(some), Contains("truncated: it ends after 5 bytes"), engine::Error);
}
