#include "apps/evaluation/variation.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/apps/evaluation/clouds.h"

using namespace apps::evaluation;
using engine::Tensor;

TEST_CASE("the gradient energy is the mean squared difference of neighbouring pixels") {
  CHECK(gradient_energy(Tensor({1, 4}, {0, 1, 3, 3}), 2, 2, 1) == doctest::Approx((1 + 0 + 9 + 4) / 4.0));
  CHECK(gradient_energy(Tensor({2, 3}, {0, 1, 3, 5, 5, 5}), 1, 3, 1) == doctest::Approx((1 + 4) / 4.0));
  // Two channels, red without edges.
  CHECK(gradient_energy(Tensor({1, 4}, {7, 0, 7, 2}), 1, 2, 2) == doctest::Approx(4 / 2.0));
  CHECK(gradient_energy(Tensor::full({3, 12}, 0.5), 2, 2, 3) == 0);
  CHECK_THROWS_WITH_AS(gradient_energy(Tensor::zeros({1, 4}), 2, 3, 1), doctest::Contains("[n, 2 * 3 * 1]"),
                       engine::Error);
  CHECK_THROWS_WITH_AS(gradient_energy(Tensor::zeros({1, 1}), 1, 1, 1), doctest::Contains("of two pixels at least"),
                       engine::Error);
}

TEST_CASE("the total variance is the mean squared distance to the mean") {
  CHECK(total_variance(Tensor({2, 2}, {0, 0, 6, 8})) == doctest::Approx(25));
  CHECK(total_variance(normal_points(4000, 3, 0)) == doctest::Approx(3).epsilon(0.05));
}
