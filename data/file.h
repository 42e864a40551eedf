#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/shared_span.h"

namespace data {

/// An open file, read from its beginning.
class InputFile {
 public:
  /// Throws Error when the file is missing, not a regular file, or can't be read.
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  /// The whole file's size in bytes.
  std::uint64_t size() const { return size_; }
  /// The number of bytes not yet read.
  std::uint64_t left() const { return size_ - position_; }
  /// Fills `destination` with the next bytes. Throws Error when the file ends before.
  void read(std::span<std::byte> destination);
  /// The whole content, which takes no memory of its own: it is read where it is asked for, and must stay as it is for
  /// as long as there is the span.
  engine::SharedSpan<std::uint8_t> map() const;

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0, position_ = 0;
};

/// The whole content of a file. Throws Error when it is missing, a folder, or can't be read.
std::vector<std::byte> read_file(const std::string& path);

/// Replaces the file at `path` by the chunks, one after another: a temporary file in the same folder, fsync, rename,
/// fsync of the folder. Whatever happens, `path` holds either all of the new content or all of the old. Throws Error,
/// and leaves no temporary file, when the folder is missing, not writable or full.
void write_file_atomically(const std::string& path, std::span<const std::span<const std::byte>> chunks);
void write_file_atomically(const std::string& path, std::string_view text);

/// What a temporary file was to become, by its name; the path itself of any other file.
std::string target_of(const std::string& path);

/// Removes, as far as that can be, the temporary files of writes to `path` that were killed. No one may be writing it.
void remove_unfinished(const std::string& path);

/// A file that is there already and grows at its end, as a log does.
class AppendedFile {
 public:
  /// Throws Error when it can't be opened.
  explicit AppendedFile(const std::string& path);
  ~AppendedFile();
  AppendedFile(const AppendedFile&) = delete;
  AppendedFile& operator=(const AppendedFile&) = delete;

  /// Can be read at once. Throws Error when there is no room for all of it.
  void append(std::string_view text);
  /// Has what was appended outlast a loss of power. Throws Error when that can't be.
  void sync();

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace data
