#include <algorithm>
#include <atomic>
#include <new>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/parallel.h"
#include "tests/engine/threads.h"

using namespace engine;

namespace {

using Pieces = std::vector<std::pair<std::int64_t, std::int64_t>>;

Pieces pieces_of(std::int64_t n, std::int64_t grain) {
  Pieces pieces;
  parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
#pragma omp critical
    pieces.emplace_back(begin, end);
  });
  std::sort(pieces.begin(), pieces.end());
  return pieces;
}

}  // namespace

TEST_CASE("the number of threads is 1 to 64") {
  const Threads restored(1);
  CHECK(threads() == 1);
  set_threads(max_threads);
  CHECK(threads() == max_threads);
  for (int count : {0, -1, 65})
    CHECK_THROWS_WITH_AS(set_threads(count), text("[threads] the number of threads must be 1 to 64: ", count).c_str(),
                         Error);
  CHECK(threads() == max_threads);
}

TEST_CASE("pieces of the grain cover the range once, the same for any number of threads") {
  for (int count : {1, 2, 5}) {
    CAPTURE(count);
    const Threads restored(count);
    CHECK(pieces_of(0, 4).empty());
    CHECK(pieces_of(3, 4) == Pieces{{0, 3}});
    CHECK(pieces_of(4, 4) == Pieces{{0, 4}});
    CHECK(pieces_of(10, 4) == Pieces{{0, 4}, {4, 8}, {8, 10}});
    CHECK(pieces_of(1000, 1).size() == 1000);
  }
}

TEST_CASE("pieces run on as many threads as there are, and no more") {
  const Threads restored(2);
  std::atomic<int> in_team_of_two{0};
  parallel_for(64, 1, [&](std::int64_t, std::int64_t) { in_team_of_two += omp_get_num_threads() == 2; });
  CHECK(in_team_of_two == 64);
  set_threads(1);
  parallel_for(64, 1, [&](std::int64_t, std::int64_t) { in_team_of_two -= omp_get_num_threads() == 1; });
  CHECK(in_team_of_two == 0);
}

TEST_CASE("a loop inside a loop runs on the thread that reaches it") {
  const Threads restored(2);
  std::atomic<int> elsewhere{0}, done{0};
  parallel_for(8, 1, [&](std::int64_t, std::int64_t) {
    const int thread = omp_get_thread_num();
    parallel_for(100, 10, [&](std::int64_t begin, std::int64_t end) {
      elsewhere += omp_get_thread_num() != thread;
      done += static_cast<int>(end - begin);
    });
  });
  CHECK(elsewhere == 0);
  CHECK(done == 800);
}

TEST_CASE("the first exception of a loop is thrown on from any number of threads, and the loop ends there") {
  for (int count : {1, 2, 5}) {
    CAPTURE(count);
    const Threads restored(count);
    std::atomic<int> done{0};
    const auto loop = [&] {
      parallel_for(100000, 1, [&](std::int64_t begin, std::int64_t) {
        ++done;
        require(begin < 3, "all pieces from 3 on fail");
      });
    };
    CHECK_THROWS_WITH_AS(loop(), "all pieces from 3 on fail", Error);
    CHECK(done <= 3 + count);  // no thread begins another once its own has failed
    const auto nested = [&] {
      parallel_for(8, 1,
                   [&](std::int64_t, std::int64_t) { parallel_for(1, 1, [](auto...) { throw std::bad_alloc(); }); });
    };
    CHECK_THROWS_AS(nested(), std::bad_alloc);
    CHECK(pieces_of(10, 4).size() == 3);
  }
}
