#include "apps/latent_walk.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/error.h"

using apps::latent_walks;
using apps::LatentLaw;
using engine::Tensor;

namespace {

double length(const engine::real* z, std::int64_t m) {
  double square = 0;
  for (std::int64_t k = 0; k < m; ++k) square += z[k] * z[k];
  return std::sqrt(square);
}

}  // namespace

TEST_CASE("a walk between uniform points is straight and even, each row between its own ends") {
  const Tensor z = latent_walks(Tensor({4, 2}, {0, 1, 1, -1, 0.5, 0.5, 0.5, 0.5}), 5, LatentLaw{});
  REQUIRE(z.shape() == engine::Shape{10, 2});
  for (int step = 0; step < 5; ++step) {
    CHECK(z.data()[2 * step] == doctest::Approx(step / 4.0));
    CHECK(z.data()[2 * step + 1] == doctest::Approx(1 - step / 2.0));
    CHECK(z.data()[10 + 2 * step] == doctest::Approx(0.5));
  }
}

TEST_CASE("a walk between normal points keeps their length and turns evenly") {
  const Tensor z = latent_walks(Tensor({2, 3}, {2, 0, 0, 0, 2, 0}), 4, LatentLaw{.normal = true});
  for (int step = 0; step < 4; ++step) {
    const double w = step * std::acos(0.0) / 3;
    CHECK(z.data()[3 * step] == doctest::Approx(2 * std::cos(w)));
    CHECK(z.data()[3 * step + 1] == doctest::Approx(2 * std::sin(w)));
    CHECK(length(z.data() + 3 * step, 3) == doctest::Approx(2));
  }
}

TEST_CASE("between points on one line through 0 a walk is straight under either law") {
  for (const engine::real end : {3, -1, 0}) {
    const Tensor ends({2, 2}, {1, 1, end, end});
    const Tensor straight = latent_walks(ends, 3, LatentLaw{}), z = latent_walks(ends, 3, LatentLaw{.normal = true});
    for (int i = 0; i < 6; ++i) CHECK(z.data()[i] == straight.data()[i]);
  }
}

TEST_CASE("walks without an end or of one step are refused") {
  CHECK_THROWS_WITH_AS(latent_walks(Tensor::zeros({3, 2}), 4, LatentLaw{}),
                       doctest::Contains("ends must be [2 n, m]: [3, 2]"), engine::Error);
  CHECK_THROWS_WITH_AS(latent_walks(Tensor::zeros({2, 2}), 1, LatentLaw{}), doctest::Contains("at least 2 steps: 1"),
                       engine::Error);
}
