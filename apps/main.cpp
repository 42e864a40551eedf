#include <unistd.h>

#include <iostream>
#include <new>

#include "apps/command_line.h"
#include "apps/interrupt.h"
#include "apps/resources.h"
#include "engine/blas.h"
#include "engine/parallel.h"

int main(int argc, char** argv) try {
  engine::run_with_better_blas_core(argv);
  engine::set_threads(apps::usable_cores());  // unless an option tells another number
  constexpr int interrupted = 130;
  const int code = apps::run(argc, argv, {std::cout, std::cerr, isatty(STDOUT_FILENO) == 1});
  return code == interrupted ? apps::Interrupt::exit_code() : code;
} catch (const std::bad_alloc&) {
  std::cerr << "semidual: there is not enough memory to begin" << std::endl;
  return 2;
}
