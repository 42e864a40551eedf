#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace data {

/// The whole content of a file. Throws Error when it is missing, a folder, or can't be read.
std::vector<std::byte> read_file(const std::string& path);

/// Replaces the file at `path` by the chunks, one after another: a temporary file in the same folder, fsync, rename,
/// fsync of the folder. Whatever happens, `path` holds either all of the new content or all of the old. Throws Error,
/// and leaves no temporary file, when the folder is missing, not writable or full.
void write_file_atomically(const std::string& path, std::span<const std::span<const std::byte>> chunks);
void write_file_atomically(const std::string& path, std::string_view text);

}  // namespace data
