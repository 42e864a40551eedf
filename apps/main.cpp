#include <unistd.h>

#include <iostream>

#include "apps/command_line.h"
#include "apps/resources.h"
#include "engine/blas.h"
#include "engine/parallel.h"

int main(int argc, char** argv) {
  engine::run_with_better_blas_core(argv);
  engine::set_threads(apps::usable_cores());  // unless an option tells another number
  return apps::run(argc, argv, {std::cout, std::cerr, isatty(STDOUT_FILENO) == 1});
}
