#include "data/idx.h"

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include <zlib.h>

#include "data/file.h"
#include "engine/error.h"

namespace data {

namespace {

using engine::require;

// The bytes of a file, inflated on the way if it is gzipped.
class Stream {
 public:
  explicit Stream(const std::string& path) : path_(path), size_(InputFile(path).size()) {
    file_.reset(gzopen(path.c_str(), "rb"));
    require(file_ != nullptr, path, ": can't be read");
    gzbuffer(file_.get(), 1 << 17);
  }

  // The number of bytes read: less than asked for only where the content ends.
  std::size_t read(std::span<std::uint8_t> destination) {
    std::size_t done = 0;
    while (done < destination.size()) {
      const auto step = static_cast<unsigned>(std::min<std::size_t>(destination.size() - done, 1 << 30));
      const int count = gzread(file_.get(), destination.data() + done, step);
      int status = Z_OK;
      gzerror(file_.get(), &status);
      require(count >= 0 && status == Z_OK, path_, ": ", status == Z_BUF_ERROR ? "truncated" : "damaged",
              " gzip, get it again from its source");
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  // More than this the file can't hold: deflate never shrinks by more than 1032.
  std::uint64_t most() const { return gzdirect(file_.get()) ? size_ : size_ * 1032; }

 private:
  struct Close {
    void operator()(gzFile_s* file) const { gzclose(file); }
  };
  std::string path_;
  std::uint64_t size_;
  std::unique_ptr<gzFile_s, Close> file_;
};

std::vector<std::int64_t> read_shape(Stream& stream, const std::string& path) {
  constexpr std::uint8_t unsigned_byte = 0x08;
  std::array<std::uint8_t, 4> magic{};
  require(stream.read(magic) == magic.size() && magic[0] == 0 && magic[1] == 0 && magic[3] != 0, path,
          ": not an IDX file (it must begin with 00 00, a type and the number of axes)");
  require(magic[2] == unsigned_byte, path, ": IDX type ", int{magic[2]}, " is not supported, only unsigned bytes (8)");
  std::vector<std::int64_t> shape(magic[3]);
  for (std::int64_t& size : shape) {
    std::array<std::uint8_t, 4> word{};
    require(stream.read(word) == word.size(), path, ": truncated: the IDX header announces ", shape.size(), " axes");
    for (const std::uint8_t byte : word) size = size << 8 | byte;
  }
  return shape;
}

}  // namespace

IdxArray read_idx(const std::string& path, std::int64_t first) {
  Stream stream(path);
  IdxArray array{read_shape(stream, path), {}};
  std::uint64_t total = 1;
  for (const std::int64_t size : array.shape)
    require(!__builtin_mul_overflow(total, static_cast<std::uint64_t>(size), &total), path,
            ": the sizes in the IDX header overflow");
  require(total <= stream.most(), path, ": truncated: the IDX header announces ", total,
          " bytes, more than the file can hold");

  const bool all = first <= 0 || first >= array.shape[0];
  if (!all) {
    total = total / static_cast<std::uint64_t>(array.shape[0]) * static_cast<std::uint64_t>(first);
    array.shape[0] = first;
  }
  array.bytes.resize(total);
  const std::size_t read = stream.read(array.bytes);
  require(read == total, path, ": truncated: the IDX header announces ", total, " bytes, ", read, " are there");
  std::array<std::uint8_t, 1> beyond{};
  require(!all || stream.read(beyond) == 0, path, ": bytes follow the ", total, " that the IDX header announces");
  return array;
}

}  // namespace data
