#include "apps/texture/synthesis.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "engine/parallel.h"
#include "engine/random.h"

using engine::Tensor;

namespace {

/// Waves of period 8, across and grey.
Tensor waves(std::int64_t height, std::int64_t width) {
  Tensor image({1, 1, height, width});
  for (std::int64_t i = 0; i < image.size(); ++i)
    image.data()[i] = static_cast<engine::real>(0.5 + 0.4 * std::sin(double(i % width) * 3.14159265 / 4));
  return image;
}

Tensor synthesis(int threads, std::uint64_t seed) {
  engine::set_threads(threads);
  apps::Synthesis synthesis(waves(40, 40), {.height = 36, .width = 44, .scales = 2, .patch = {.seed = seed}});
  do
    for (int i = 0; i < 6; ++i) synthesis.step(i / 6.0);
  while (synthesis.refine());
  return synthesis.image();
}

}  // namespace

TEST_CASE("a synthesis goes from coarse to fine, and noise becomes what the exemplar is like") {
  apps::Synthesis synthesis(waves(40, 40), {.height = 36, .width = 44, .scales = 2});
  CHECK(synthesis.scale() == 1);
  const double noise = synthesis.step(0);
  double last = 0;
  for (int i = 1; i < 60; ++i) last = synthesis.step(i / 60.0);
  CHECK(last < noise / 5);
  CHECK(synthesis.image().shape() == engine::Shape{1, 1, 36, 44});
  REQUIRE(synthesis.refine());
  CHECK(synthesis.scale() == 0);
  CHECK(!synthesis.refine());
  for (int i = 0; i < 60; ++i) last = synthesis.step(i / 60.0);

  // Rows are like each other, and columns are not: the mean square of differences between neighbours.
  const Tensor image = synthesis.image();
  double down = 0, across = 0;
  for (std::int64_t y = 0; y + 1 < 36; ++y)
    for (std::int64_t x = 0; x + 1 < 44; ++x) {
      const engine::real* at = image.data() + y * 44 + x;
      down += std::pow(double(at[44] - at[0]), 2);
      across += std::pow(double(at[1] - at[0]), 2);
    }
  CHECK(down < across / 4);
}

TEST_CASE("edges fit each other, and an image of another size is cut from one whose do") {
  const auto image = [](std::int64_t height, std::int64_t width) {
    apps::Synthesis synthesis(waves(40, 40), {.height = height, .width = width, .scales = 3});
    for (int i = 0; i < 80; ++i) synthesis.step(i / 80.0);
    return synthesis.image();
  };
  const Tensor whole = image(32, 40), cut = image(30, 37);
  for (std::int64_t y = 0; y < 30; ++y)
    CHECK(std::ranges::equal(cut.values().subspan(y * 37, 37), whole.values().subspan(y * 40, 37)));
  double step = 0, seam = 0;
  for (std::int64_t y = 0; y < 32; ++y) {
    const engine::real* row = whole.data() + y * 40;
    for (std::int64_t x = 0; x + 1 < 40; ++x) step = std::max(step, std::abs(double(row[x + 1] - row[x])));
    seam = std::max(seam, std::abs(double(row[39] - row[0])));
  }
  CHECK(seam <= step);
}

TEST_CASE("an image is a function of the seed, on any number of threads") {
  const int before = engine::threads();
  const Tensor one = synthesis(1, 0);
  CHECK(std::ranges::equal(synthesis(2, 0).values(), one.values()));
  CHECK(std::ranges::equal(synthesis(3, 0).values(), one.values()));
  CHECK(!std::ranges::equal(synthesis(1, 1).values(), one.values()));
  engine::set_threads(before);
}

TEST_CASE("an image that is too small for a patch is an error") {
  CHECK_THROWS_WITH_AS(apps::Synthesis(waves(40, 40), {.height = 40, .width = 6, .scales = 2}),
                       "[synthesis] a patch of 4x4 does not fit 20x3", engine::Error);
}
