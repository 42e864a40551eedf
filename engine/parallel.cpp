#include "engine/parallel.h"

#include <atomic>

#include "engine/error.h"

namespace engine {

namespace {
std::atomic<int>& thread_count() {
  static std::atomic<int> count = std::clamp(omp_get_num_procs(), 1, max_threads);
  return count;
}
}  // namespace

int threads() {
  return thread_count();
}

void set_threads(int count) {
  require(count >= 1 && count <= max_threads, "[threads] the number of threads must be 1 to ", max_threads, ": ",
          count);
  thread_count() = count;
}

}  // namespace engine
