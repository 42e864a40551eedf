#pragma once

#include <ostream>
#include <stdexcept>
#include <string>

namespace apps {

/// Where a command writes.
struct Console {
  std::ostream& out;
  std::ostream& err;
  bool terminal = false;  ///< whether `out` is a terminal, on which a line can be rewritten

  /// What whoever asked should know, a line on `err`; nothing where there is nothing to say.
  void remark(const std::string& line) const {
    if (!line.empty()) err << "semidual: " << line << std::endl;
  }
};

/// What ends the program with exit code 1: the input was right, and yet it could not be done. The message is one line.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace apps
