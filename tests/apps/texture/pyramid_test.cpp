#include "apps/texture/pyramid.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "tests/engine/gradient_check.h"

using engine::Random;
using engine::Tensor;
using engine::Var;

namespace {

/// 0.3 y - 0.2 x + c, [1, 2, height, width].
Tensor ramps(std::int64_t height, std::int64_t width) {
  Tensor image({1, 2, height, width});
  for (std::int64_t c = 0; c < 2; ++c)
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x)
        image.data()[(c * height + y) * width + x] =
            static_cast<engine::real>(0.3 * double(y) - 0.2 * double(x) + double(c));
  return image;
}

}  // namespace

TEST_CASE("a coarser scale has the values of ramps at its pixels' centres, a finer one those between them") {
  const Tensor image = ramps(11, 14), small = apps::coarser(image).value();
  REQUIRE(small.shape() == engine::Shape{1, 2, 4, 6});
  CHECK(apps::coarser_size(11) == 4);
  CHECK(apps::coarser_size(14) == 6);
  for (std::int64_t i = 0; i < small.size(); ++i) {
    const double c = double(i / 24), y = double(i / 6 % 4), x = double(i % 6);
    CHECK(double(small.data()[i]) == doctest::Approx(0.3 * (2 * y + 1.5) - 0.2 * (2 * x + 1.5) + c).epsilon(1e-5));
  }
  const Tensor again = apps::finer(small, 11, 14);
  REQUIRE(again.shape() == image.shape());
  for (std::int64_t i = 0; i < again.size(); ++i) {
    const std::int64_t y = i / 14 % 11, x = i % 14;
    const double row = std::clamp(double(y), 1.5, 7.5), column = std::clamp(double(x), 1.5, 11.5);
    CHECK(double(again.data()[i]) == doctest::Approx(0.3 * row - 0.2 * column + double(i / 154)).epsilon(1e-5));
  }
}

TEST_CASE("less than a kernel has no coarser scale") {
  CHECK(apps::coarser_size(4) == 1);
  CHECK(apps::coarser_size(3) == 0);
  CHECK(apps::coarser_size(0) == 0);
  CHECK_THROWS_AS(apps::coarser(ramps(3, 8)), engine::Error);
}

TEST_CASE("gradients pass through two scales" * doctest::skip(!engine::testing::precise)) {
  engine::testing::check_gradients(
      [](const auto& in) {
        const Var small = apps::coarser(apps::coarser(in[0]));
        return small * small;
      },
      {Random(1, 0).normal({1, 3, 13, 12}, 0, 1)});
}
