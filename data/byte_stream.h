#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace data {

/// Bytes read from their beginning: a file's as they are, inflated on the way where it is gzipped, or one member's of a
/// zip archive, which is named as in `archive.npz:member` (NumPy's .npy behind the name may be left out) unless it is
/// the only one.
class ByteStream {
 public:
  /// Throws Error when the file is missing, not a regular file or can't be read, for a member of what is no archive,
  /// and for an archive that holds nothing, several members, none of which is named, or none of that name.
  static std::unique_ptr<ByteStream> open(const std::string& path);
  virtual ~ByteStream() = default;

  const std::string& path() const { return path_; }
  /// The number of bytes read: less than asked for only where the content ends. Throws Error where it is damaged, of
  /// which the last bytes are told only by reading beyond them.
  virtual std::size_t read(std::span<std::byte> destination) = 0;
  /// No more bytes than this are in it.
  virtual std::uint64_t most() const = 0;

  /// Whether they are those of the file of that path, as they lie there from its beginning on.
  virtual bool plain() const = 0;

  /// Fills `destination`. Throws Error, which says that `what` is truncated, when the content ends before.
  void fill(std::span<std::byte> destination, const std::string& what);
  /// The same for the next `size` bytes, which may be a lie: what is packed takes memory only as it is unpacked.
  std::vector<std::uint8_t> take(std::uint64_t size, const std::string& what);
  /// Whether nothing is left.
  bool at_end();

 protected:
  explicit ByteStream(std::string path) : path_(std::move(path)) {}

 private:
  std::string path_;
};

/// The file of that path: the archive's where it names one of its members.
std::string file_of(const std::string& path);

/// Whether the file's content, inflated, begins with these bytes.
bool begins_with(const std::string& path, std::string_view beginning);

}  // namespace data
