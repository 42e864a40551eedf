#include "apps/learn/class_dual.h"

#include <vector>

#include <doctest/doctest.h>

using apps::classes_of_rank;

TEST_CASE("classes are dealt out whole and in their order, one at least to each rank, by their shares") {
  const std::vector<std::vector<double>> cases{
      {0.25, 0.25, 0.25, 0.25}, {0.97, 0.01, 0.01, 0.01}, {0.01, 0.01, 0.01, 0.97}, {0, 0, 0.5, 0.5, 0}};
  for (const std::vector<double>& shares : cases)
    for (int ranks = 1; ranks <= 4; ++ranks) {
      std::int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const apps::Rows own = classes_of_rank(shares, rank, ranks);
        CHECK(own.begin == next);
        CHECK(own.end > own.begin);
        next = own.end;
      }
      CHECK(next == std::ssize(shares));
    }
  CHECK(classes_of_rank(cases[0], 0, 2).end == 2);
  CHECK(classes_of_rank(cases[1], 0, 2).end == 1);
  CHECK(classes_of_rank(cases[2], 0, 2).end == 3);
}
