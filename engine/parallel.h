#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>

#include <omp.h>

namespace engine {

/// The number of threads that loops use: the machine's cores (at most max_threads) unless set.
int threads();
/// Sets the number of threads. Throws Error outside 1..max_threads.
void set_threads(int count);
/// More callers at once than this and Debian's OpenBLAS runs out of its own buffers.
inline constexpr int max_threads = 64;

/// How threads share pieces: each the next one, so that they go side by side through memory that they read in common;
/// or each a stretch of them, shorter towards the end, so that none writes next to another.
enum class Share { next, stretches };

/// Calls body(begin, end) on consecutive pieces of 0..n-1 of `grain` elements (the last may be shorter), spread over
/// the threads. The pieces do not depend on the number of threads, so neither does a result that each piece computes
/// on its own. Where a body throws, pieces that have not begun are left out, and the first exception is thrown on.
template <Share share = Share::next, class Body>
void parallel_for(std::int64_t n, std::int64_t grain, const Body& body) {
  const std::int64_t pieces = (n + grain - 1) / grain;
  if (pieces <= 1 || threads() == 1 || omp_in_parallel()) {
    for (std::int64_t piece = 0; piece < pieces; ++piece) body(piece * grain, std::min(n, (piece + 1) * grain));
    return;
  }
  std::atomic<bool> thrown = false;
  std::exception_ptr first;
  const auto run = [&](std::int64_t piece) {
    if (thrown.load(std::memory_order_relaxed)) return;
    try {
      body(piece * grain, std::min(n, (piece + 1) * grain));
    } catch (...) {  // none may leave a thread
      if (!thrown.exchange(true)) first = std::current_exception();
    }
  };
  const int team = static_cast<int>(std::min<std::int64_t>(threads(), pieces));
  if constexpr (share == Share::next) {
#pragma omp parallel for schedule(dynamic) num_threads(team)
    for (std::int64_t piece = 0; piece < pieces; ++piece) run(piece);
  } else {
#pragma omp parallel for schedule(guided) num_threads(team)
    for (std::int64_t piece = 0; piece < pieces; ++piece) run(piece);
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace engine
