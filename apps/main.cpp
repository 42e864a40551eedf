#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <new>
#include <string_view>

#include "apps/command_line.h"
#include "apps/interrupt.h"
#include "apps/resources.h"
#include "engine/blas.h"
#include "engine/parallel.h"

namespace {

/// Whether standard output is a terminal on which a line can be rewritten.
bool on_terminal() {
  const char* kind = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && kind && *kind && std::string_view(kind) != "dumb";
}

}  // namespace

int main(int argc, char** argv) try {
  engine::restart_with_blas_settings(argv);
  engine::set_threads(apps::usable_cores());  // unless an option tells another number
  constexpr int interrupted = 130;
  const int code = apps::run(argc, argv, {std::cout, std::cerr, on_terminal()});
  return code == interrupted ? apps::Interrupt::exit_code() : code;
} catch (const std::bad_alloc&) {
  std::cerr << "semidual: there is not enough memory to begin" << std::endl;
  return 2;
}
