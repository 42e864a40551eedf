#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/simd/levels.h"

using namespace engine::simd;

TEST_CASE("the level in use is the highest there is up to the one asked for") {
  const std::vector<Level> available = levels();
  REQUIRE_FALSE(available.empty());
  CHECK(&kernels_up_to(nullptr) == kernels_of(available.back()));
  for (Level level : available) {
    CHECK(kernels_of(level)->level == level);
    CHECK(kernels_up_to(name(level).c_str()).level == level);
  }
  // never one that the CPU lacks
  for (Level level : {Level::baseline, Level::avx2, Level::avx512, Level::vnni, Level::neon})
    CHECK(kernels_of(kernels_up_to(name(level).c_str()).level) != nullptr);
  CHECK_THROWS_WITH_AS(kernels_up_to("sse9"),
                       "[SEMIDUAL_SIMD] the environment variable must be baseline, avx2, avx512, vnni or neon: sse9",
                       engine::Error);
  CHECK_THROWS_AS(kernels_up_to(""), engine::Error);
}
