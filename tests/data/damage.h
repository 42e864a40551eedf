#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "engine/error.h"

/// Writes a new file: overwriting one in place would wait for the disk.
inline void put(const std::string& path, const std::string& content) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
}

/// The message of the Error that `read` throws, or what happened instead.
inline doctest::String error_of(const std::function<void()>& read) {
  try {
    read();
  } catch (const engine::Error& error) {
    return error.what();
  }
  return "(no error)";
}

/// Every proper prefix of a sound file must be refused by an Error of one line that names the file.
inline void check_prefixes_refused(const std::string& path, const std::string& content,
                                   const std::function<void()>& read) {
  for (std::size_t size = 0; size < content.size(); ++size) {
    put(path, content.substr(0, size));
    const std::string message = error_of(read).c_str();
    INFO("the first ", size, " of ", content.size(), " bytes: ", message);
    CHECK(message.find(path) == 0);
    CHECK(message.find('\n') == std::string::npos);
  }
}

/// Flips one bit after another: the file must be refused by an Error that names it, or be read as what `told` makes of
/// the flipped content: the shape in its header, or where it has a checksum all that the sound one holds. Returns how
/// often it was read.
inline int check_flips(const std::string& path, const std::string& content, const std::function<std::string()>& read,
                       const std::function<std::string(const std::string& content)>& told) {
  int sound = 0;
  for (std::size_t bit = 0; bit < 8 * content.size(); ++bit) {
    std::string flipped = content;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    put(path, flipped);
    INFO("bit ", bit % 8, " of byte ", bit / 8, " of ", content.size());
    try {
      const std::string came = read();  // a CHECK would catch what it throws
      CHECK(came == told(flipped));
      ++sound;
    } catch (const engine::Error& error) {
      CHECK(std::string(error.what()).find(path) == 0);
    }
  }
  return sound;
}
