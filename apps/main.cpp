#include <unistd.h>

#include <iostream>

#include "apps/command_line.h"
#include "engine/blas.h"

int main(int argc, char** argv) {
  engine::run_with_better_blas_core(argv);
  return apps::run(argc, argv, {std::cout, std::cerr, isatty(STDOUT_FILENO) == 1});
}
