#include "apps/texture/pyramid.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "engine/ops/shape.h"
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

TEST_CASE("a coarser scale has the values of ramps at its pixels' centres") {
  const Tensor small = apps::coarser(ramps(11, 14)).value();
  REQUIRE(small.shape() == engine::Shape{1, 2, 4, 6});
  CHECK(apps::coarser_size(11) == 4);
  CHECK(apps::coarser_size(14) == 6);
  for (std::int64_t i = 0; i < small.size(); ++i) {
    const double c = double(i / 24), y = double(i / 6 % 4), x = double(i % 6);
    CHECK(double(small.data()[i]) == doctest::Approx(0.3 * (2 * y + 1.5) - 0.2 * (2 * x + 1.5) + c).epsilon(1e-5));
  }
}

TEST_CASE("a finer scale of a ramp is one between the centres, where it does not wrap") {
  const Tensor image = ramps(5, 6), large = apps::finer(image);
  REQUIRE(large.shape() == engine::Shape{1, 2, 10, 12});
  for (std::int64_t i = 0; i < large.size(); ++i) {
    const std::int64_t y = i / 12 % 10, x = i % 12;
    if (y == 0 || y == 9 || x == 0 || x == 11) continue;
    const double row = (double(y) - 0.5) / 2, column = (double(x) - 0.5) / 2;
    CHECK(double(large.data()[i]) == doctest::Approx(0.3 * row - 0.2 * column + double(i / 120)).epsilon(1e-5));
  }
}

TEST_CASE("images are repeated beyond their edges") {
  const Tensor image({1, 1, 2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor expected({1, 1, 4, 5}, {6, 4, 5, 6, 4, 3, 1, 2, 3, 1, 6, 4, 5, 6, 4, 3, 1, 2, 3, 1});
  CHECK(std::ranges::equal(apps::wrapped(image, 1, 1).value().values(), expected.values()));
  CHECK_THROWS_AS(apps::wrapped(image, 0, 3), engine::Error);
}

TEST_CASE("of a repeated image both scales move along with it") {
  const Tensor image = Random(2, 0).normal({1, 2, 8, 12}, 0, 1);
  // By 2 rows and 4 columns, which are 1 and 2 at the coarser scale.
  const auto moved = [](const Var& x, std::int64_t down, std::int64_t right) {
    return slice(slice(apps::wrapped(x, 0, right), 2, down, down + x.dim(2)), 3, right, right + x.dim(3)).value();
  };
  const auto close = [](const Tensor& a, const Tensor& b) {
    REQUIRE(a.shape() == b.shape());
    for (std::int64_t i = 0; i < a.size(); ++i) CHECK(double(a.data()[i]) == doctest::Approx(double(b.data()[i])));
  };
  const auto smaller = [](const Var& x) { return apps::coarser(apps::wrapped(x, 1, 1)); };
  REQUIRE(smaller(image).shape() == engine::Shape{1, 2, 4, 6});
  close(smaller(moved(image, 2, 4)).value(), moved(smaller(image), 1, 2));
  close(apps::finer(moved(image, 1, 2)), moved(apps::finer(image), 2, 4));
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
        const Var small = apps::coarser(apps::coarser(apps::wrapped(in[0], 1, 2)));
        return small * small;
      },
      {Random(1, 0).normal({1, 3, 13, 12}, 0, 1)});
}
