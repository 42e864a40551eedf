#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "engine/blas.h"

// What clang's OpenMP still holds of its threads at the end is no leak of ours.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libomp";
}

int main(int argc, char** argv) {
  engine::restart_with_blas_settings(argv);
  return doctest::Context(argc, argv).run();
}
