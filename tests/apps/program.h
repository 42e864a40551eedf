#pragma once

#include <stdlib.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
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

/// A stream that raises SIGINT when `word` has been written to it, as if someone had then pressed Ctrl-C.
class InterruptAt : public std::stringbuf {
 public:
  explicit InterruptAt(std::string word) : word_(std::move(word)) {}

 private:
  std::streamsize xsputn(const char* text, std::streamsize n) override {
    if (!raised_ && std::string(text, static_cast<std::size_t>(n)).find(word_) != std::string::npos)
      raised_ = std::raise(SIGINT) == 0;
    return std::stringbuf::xsputn(text, n);
  }
  std::string word_;
  bool raised_ = false;  // a second one would end the tests
};

/// Runs the program with these arguments, not on a terminal, writing to `out`.
inline Outcome semidual(const std::vector<std::string>& arguments, std::stringbuf& out) {
  std::vector<const char*> argv{"semidual"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  std::ostream out_stream(&out);
  std::ostringstream err;
  const int code = apps::run(static_cast<int>(argv.size()), argv.data(), {out_stream, err});
  return {code, out.str(), err.str()};
}

inline Outcome semidual(const std::vector<std::string>& arguments) {
  std::stringbuf out;
  return semidual(arguments, out);
}

/// The same, with Ctrl-C when `word` is written.
inline Outcome interrupted_at(const std::string& word, const std::vector<std::string>& arguments) {
  InterruptAt out(word);
  return semidual(arguments, out);
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
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
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(bytes).str();
}

inline void write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}
