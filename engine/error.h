#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace engine {

/// A caller's mistake: a shape, a value or a file that does not fit. The message is one line that names what was
/// given and what would be right, `[op] requirement: shape against shape`. Our own mistakes are asserts.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Joins anything streamable into one line.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// Throws Error with the parts joined into one line.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw Error(text(parts...));
}

/// Throws Error with the parts joined into one line unless `condition` holds.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) fail(parts...);
}

}  // namespace engine
