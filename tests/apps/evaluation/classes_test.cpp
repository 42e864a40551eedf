#include "apps/evaluation/classes.h"

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace apps::evaluation;

TEST_CASE("class shares sum to 1, and their total variation is the mass to be moved") {
  const std::vector<double> shares = class_shares(std::vector<std::uint8_t>{0, 2, 2, 0}, 3);
  CHECK(shares == std::vector<double>{0.5, 0, 0.5});
  CHECK(total_variation(shares, shares) == 0);
  CHECK(total_variation(shares, std::vector<double>{0, 1, 0}) == 1);
  CHECK(total_variation(shares, std::vector<double>{0.25, 0.25, 0.5}) == 0.25);
  CHECK_THROWS_WITH_AS(class_shares(std::vector<std::uint8_t>{3}, 3),
                       doctest::Contains("there are 3 classes, from 0: 3"), engine::Error);
  CHECK_THROWS_WITH_AS(class_shares({}, 3), doctest::Contains("a point at least"), engine::Error);
  CHECK_THROWS_WITH_AS(total_variation(shares, std::vector<double>{1}), doctest::Contains("3 against 1"),
                       engine::Error);
}
