#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "apps/command_line.h"

/// A fresh folder that is removed, with all in it, at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "semidual_XXXXXX";
    root_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code none;
    std::filesystem::remove_all(root_, none);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string operator/(const std::string& name) const { return root_ / name; }
  bool empty() const { return std::filesystem::is_empty(root_); }

 private:
  std::filesystem::path root_;
};

/// What a run of the program came to.
struct Outcome {
  int code;
  std::string out, err;
};

/// Runs the program with these arguments, not on a terminal.
inline Outcome semidual(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv{"semidual"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  std::ostringstream out, err;
  const int code = apps::run(static_cast<int>(argv.size()), argv.data(), {out, err});
  return {code, out.str(), err.str()};
}

inline std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// The arguments that train on a few built-in digits into `folder`.
inline std::vector<std::string> small_run(const std::string& folder) {
  return {"train",   "--data", "digits",    "--points", "40",    "--batch", "4",
          "--inner", "2",      "--threads", "1",        "--out", folder};
}

inline std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}
