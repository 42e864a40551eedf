#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <new>
#include <sstream>
#include <streambuf>
#include <string>
#include <string_view>

#include "apps/command_line.h"
#include "apps/interrupt.h"
#include "apps/resources.h"
#include "engine/blas.h"
#include "engine/cluster/ranks.h"
#include "engine/error.h"
#include "engine/parallel.h"

namespace {

constexpr int interrupted = 130;

/// Whether standard output is a terminal on which a line can be rewritten.
bool on_terminal() {
  const char* kind = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && kind && *kind && std::string_view(kind) != "dumb";
}

/// Of text that ends with a line's end.
std::string last_line(const std::string& text) {
  const std::size_t end = text.size() < 2 ? text.npos : text.rfind('\n', text.size() - 2);
  return end == text.npos ? text : text.substr(end + 1);
}

/// Where what ranks other than the first say goes.
class Swallowed : public std::streambuf {
  int overflow(int c) override { return c; }
};

}  // namespace

int main(int argc, char** argv) try {
  engine::restart_with_blas_settings(argv);
  engine::Ranks ranks(&argc, &argv);
  apps::share_cores(ranks.on_this_machine());
  engine::set_threads(apps::usable_cores());  // unless an option tells another number
  const bool first = ranks.all().first();
  Swallowed swallowed;
  std::ostream nowhere(&swallowed);
  std::ostringstream kept;  // of another rank, which speaks only where it fails alone
  const apps::Console console{
      first ? std::cout : nowhere, first ? std::cerr : kept, first && on_terminal(), {}, ranks.all(),
      ranks.on_this_machine()};
  const int code = apps::run(argc, argv, console);
  if (code != 0 && code != interrupted && ranks.all().size() > 1) {
    constexpr double patience = 2;
    if (ranks.tells(patience) && !first) std::cerr << "rank " << ranks.all().rank() << ": " << last_line(kept.str());
    ranks.exit(code);
  }
  return code == interrupted ? apps::Interrupt::exit_code() : code;
} catch (const engine::Error& error) {
  std::cerr << "semidual: " << error.what() << std::endl;
  return 2;
} catch (const std::bad_alloc&) {
  std::cerr << "semidual: there is not enough memory to begin" << std::endl;
  return 2;
}
