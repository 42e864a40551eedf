#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <stdlib.h>
#include <zip.h>
#include <zlib.h>

#include "engine/error.h"

/// A fresh folder, removed with all it holds at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "semidual-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }
  /// The number of files in it.
  std::int64_t count() const { return std::distance(std::filesystem::directory_iterator(path_), {}); }

 private:
  std::filesystem::path path_;
};

/// Writes a new file: overwriting one in place would wait for the disk.
inline void put(const std::string& path, const std::string& content) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
}

inline std::string get(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(bytes).str();
}

inline std::string gzipped(const std::string& content) {
  TemporaryFolder folder;
  gzFile file = gzopen((folder / "x.gz").c_str(), "wb");
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
  return get(folder / "x.gz");
}

/// A zip archive of these members, by name and content, compressed, as numpy.savez_compressed makes them.
inline std::string zipped(const std::vector<std::pair<std::string, std::string>>& members) {
  TemporaryFolder folder;
  zip_t* const archive = zip_open((folder / "x.zip").c_str(), ZIP_CREATE, nullptr);
  for (const auto& [name, content] : members)
    zip_file_add(archive, name.c_str(), zip_source_buffer(archive, content.data(), content.size(), 0), 0);
  zip_close(archive);
  return get(folder / "x.zip");
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

/// Damages one byte after another: reading may succeed or throw Error, and nothing else.
inline void check_damage_survived(const std::string& path, const std::string& content,
                                  const std::function<void()>& read) {
  for (std::size_t i = 0; i < content.size(); ++i) {
    for (const int change : {0x01, 0x10, 0x80, 0xff}) {
      std::string damaged = content;
      damaged[i] = static_cast<char>(damaged[i] ^ change);
      put(path, damaged);
      error_of(read);
    }
  }
}
