#include <unistd.h>

#include <iostream>

#include "apps/command_line.h"

int main(int argc, char** argv) {
  return apps::run(argc, argv, {std::cout, std::cerr, isatty(STDOUT_FILENO) == 1});
}
