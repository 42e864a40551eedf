#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "engine/blas.h"
#include "engine/parallel.h"

// What clang's OpenMP still holds of its threads at the end is no leak of ours.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libomp";
}

int main(int argc, char** argv) {
  engine::restart_with_blas_settings(argv);
  engine::set_threads(std::min(omp_get_max_threads(), engine::max_threads));  // OMP_NUM_THREADS, be it above the cores
  return doctest::Context(argc, argv).run();
}
