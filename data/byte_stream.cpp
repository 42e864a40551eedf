#include "data/byte_stream.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <system_error>
#include <vector>

#include <zip.h>
#include <zlib.h>

#include "data/file.h"
#include "engine/error.h"

namespace data {

namespace {

using engine::fail;
using engine::require;

constexpr const char* get_it_again = ", get it again from its source";

[[noreturn]] void fail_truncated(const std::string& path, const std::string& what, std::uint64_t size,
                                 std::uint64_t there) {
  fail(path, ": truncated: ", what, " takes ", size, " bytes, ", there, " are there");
}

// A file, inflated on the way if it is gzipped; zlib sees which.
class FileStream : public ByteStream {
 public:
  explicit FileStream(const std::string& path) : ByteStream(path), size_(InputFile(path).size()) {
    file_.reset(gzopen(path.c_str(), "rb"));
    require(file_ != nullptr, path, ": can't be read");
    gzbuffer(file_.get(), static_cast<unsigned>(std::clamp<std::uint64_t>(size_, 1 << 10, 1 << 17)));
  }

  std::size_t read(std::span<std::byte> destination) override {
    std::size_t done = 0;
    while (done < destination.size()) {
      const auto step = static_cast<unsigned>(std::min<std::size_t>(destination.size() - done, 1 << 30));
      const int count = gzread(file_.get(), destination.data() + done, step);
      int status = Z_OK;
      gzerror(file_.get(), &status);
      if (status == Z_MEM_ERROR) throw std::bad_alloc();
      require(count >= 0 && status == Z_OK, path(), ": ", status == Z_BUF_ERROR ? "truncated" : "damaged",
              " gzip at byte ", gzoffset(file_.get()), get_it_again);
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  bool plain() const override { return gzdirect(file_.get()) != 0; }

  // Deflate never shrinks by more than 1032.
  std::uint64_t most() const override { return plain() ? size_ : size_ * 1032; }

 private:
  struct Close {
    void operator()(gzFile_s* file) const { gzclose(file); }
  };
  std::uint64_t size_;
  std::unique_ptr<gzFile_s, Close> file_;
};

struct CloseArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* member) const { zip_fclose(member); }
};
using Archive = std::unique_ptr<zip_t, CloseArchive>;

class MemberStream : public ByteStream {
 public:
  MemberStream(const std::string& path, Archive archive, zip_uint64_t member)
      : ByteStream(path), archive_(std::move(archive)) {
    zip_stat_t facts{};
    require(zip_stat_index(archive_.get(), member, 0, &facts) == 0 && (facts.valid & ZIP_STAT_SIZE) != 0, path,
            ": damaged zip archive", get_it_again);
    size_ = facts.size;
    file_.reset(zip_fopen_index(archive_.get(), member, 0));
    require(file_ != nullptr, path, ": ", zip_strerror(archive_.get()));
  }

  std::size_t read(std::span<std::byte> destination) override {
    std::size_t done = 0;
    while (done < destination.size()) {
      const zip_int64_t count = zip_fread(file_.get(), destination.data() + done, destination.size() - done);
      require(count >= 0, path(), ": damaged zip archive (", zip_file_strerror(file_.get()), ")", get_it_again);
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  bool plain() const override { return false; }

  std::uint64_t most() const override { return size_; }

 private:
  Archive archive_;
  std::unique_ptr<zip_file_t, CloseArchive> file_;
  std::uint64_t size_ = 0;
};

// Of the members that are called so, or of all where no name is given, the only one.
std::unique_ptr<ByteStream> open_member(const std::string& path, const std::string& file, const std::string& name) {
  int code = 0;
  Archive archive(zip_open(file.c_str(), ZIP_RDONLY, &code));
  require(archive != nullptr, file, ": damaged zip archive", get_it_again);
  std::string names;
  std::vector<zip_uint64_t> found;
  for (zip_int64_t i = 0, members = zip_get_num_entries(archive.get(), 0); i < members; ++i) {
    const auto member = static_cast<zip_uint64_t>(i);
    const char* const text = zip_get_name(archive.get(), member, 0);
    require(text != nullptr, file, ": damaged zip archive", get_it_again);
    std::string called = text;
    if (called.ends_with(".npy")) called.resize(called.size() - 4);
    if (name.empty() || name == called || name == text) found.push_back(member);
    names += (names.empty() ? "" : ", ") + called;
  }
  require(!names.empty(), file, ": the archive holds nothing");
  require(!found.empty(), file, ": the archive holds no ", name, ", but ", names);
  require(found.size() == 1, file, ": the archive holds ", names, ": name one of them, as in ", file, ":NAME");
  return std::make_unique<MemberStream>(path, std::move(archive), found.front());
}

// The first four bytes of a file, or as many as there are.
std::string beginning_of(const std::string& path) {
  InputFile file(path);
  std::string bytes(std::min<std::uint64_t>(file.size(), 4), '\0');
  file.read(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

}  // namespace

std::unique_ptr<ByteStream> ByteStream::open(const std::string& path) {
  const std::string archive = file_of(path);
  if (archive != path) {
    const std::string name = path.substr(archive.size() + 1);
    std::error_code error;
    require(!std::filesystem::is_directory(archive, error) && beginning_of(archive).starts_with("PK"), archive,
            ": is no .npz archive, so that it has no member ", name, "; leave out :", name);
    return open_member(path, archive, name);
  }
  const std::string beginning = beginning_of(path);
  require(beginning != "\x1f", path, ": truncated gzip", get_it_again);  // what zlib takes for text
  if (beginning == "PK\x03\x04") return open_member(path, path, "");
  return std::make_unique<FileStream>(path);
}

std::string file_of(const std::string& path) {
  std::error_code error;
  const std::string archive = path.substr(0, path.rfind(':'));
  return !std::filesystem::exists(path, error) && std::filesystem::exists(archive, error) ? archive : path;
}

void ByteStream::fill(std::span<std::byte> destination, const std::string& what) {
  const std::size_t count = read(destination);
  if (count < destination.size()) fail_truncated(path(), what, destination.size(), count);
}

std::vector<std::uint8_t> ByteStream::take(std::uint64_t size, const std::string& what) {
  const std::uint64_t at_once = std::max<std::uint64_t>(plain() ? most() : 0, 1 << 24);
  std::vector<std::uint8_t> bytes;
  while (bytes.size() < size) {
    const std::size_t before = bytes.size(), more = std::min(size - before, std::max<std::uint64_t>(before, at_once));
    bytes.reserve(before + more);  // no more than that
    bytes.resize(before + more);
    const std::size_t count = read(std::as_writable_bytes(std::span(bytes)).subspan(before));
    if (count < more) fail_truncated(path(), what, size, before + count);
  }
  return bytes;
}

bool ByteStream::at_end() {
  std::byte beyond{};
  return read(std::span(&beyond, 1)) == 0;
}

bool begins_with(const std::string& path, std::string_view beginning) {
  std::string start(beginning.size(), '\0');
  return ByteStream::open(path)->read(std::as_writable_bytes(std::span(start))) == beginning.size() &&
         start == beginning;
}

}  // namespace data
