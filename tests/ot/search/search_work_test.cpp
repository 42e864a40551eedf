#include "ot/search/search_work.h"

#include <doctest/doctest.h>

using engine::simd::Digits;

namespace {

/// A batch of 200 queries to the 60000 digits of MNIST, at some iteration of the paper's run, lambda > 0: what its
/// search counts for a query, and how many ms the search and the brute force took, once a sketch was fitted.
struct Snapshot {
  int iteration;
  double lambda;
  double groups, values;  ///< bounds of groups, points asked one by one
  double pairs, rows;     ///< products with points of blocks, rows of terms
  double search_ms, all_ms;
};

void check(const Digits& level, std::initializer_list<Snapshot> snapshots) {
  constexpr double alike = 1.15;  // whichever way is taken
  for (const Snapshot& at : snapshots) {
    CAPTURE(at.iteration);
    CAPTURE(at.lambda);
    const ot::SearchWork search{
        .groups = at.groups,
        .values = at.values + ot::work_of_products(level, at.pairs, level.most) + at.pairs / ot::measured::terms,
        .rows = at.rows};
    const bool searched = search.cost() < ot::work_of_all(&level, 60000, at.lambda);
    CHECK((searched ? at.search_ms : at.all_ms) <= alike * (searched ? at.all_ms : at.search_ms));
  }
}

}  // namespace

TEST_CASE("counted work tells the faster way to the batches of a run, with digits of 8 bits and of 16") {
  // One core of a Zen 5.
  check({.bits = 8, .most = 3}, {{0, 0.002, 483, 963, 0, 31, 33.8, 52.6},
                                 {0, 0.005, 0, 0, 47800, 766, 56.4, 51.2},
                                 {0, 0.025, 0, 0, 60000, 938, 71.8, 40.0},
                                 {10, 0.002, 0, 0, 940, 18, 9.6, 53.0},
                                 {10, 0.005, 0, 0, 2700, 71, 12.1, 53.1},
                                 {10, 0.025, 0, 0, 39600, 763, 56.6, 54.0},
                                 {10, 0.1, 0, 0, 60000, 938, 78.9, 39.8},
                                 {100, 0.005, 0, 0, 3740, 79, 8.5, 53.7},
                                 {100, 0.025, 0, 0, 26400, 498, 40.0, 54.5},
                                 {100, 0.1, 0, 0, 60000, 938, 83.2, 40.2}});
  check({.bits = 16, .most = 2}, {{0, 0.002, 483, 963, 0, 31, 47.3, 114.9},
                                  {0, 0.005, 0, 0, 51000, 766, 126.2, 126.8},
                                  {0, 0.025, 0, 0, 63600, 938, 144.6, 75.8},
                                  {10, 0.002, 0, 0, 1100, 18, 17.5, 125.3},
                                  {10, 0.005, 0, 0, 3000, 71, 22.4, 119.2},
                                  {10, 0.025, 0, 0, 42740, 763, 117.3, 121.8},
                                  {10, 0.1, 0, 0, 63600, 938, 174.6, 72.3},
                                  {100, 0.005, 0, 0, 4050, 79, 14.8, 120.4},
                                  {100, 0.025, 0, 0, 28400, 498, 75.8, 114.6},
                                  {100, 0.1, 0, 0, 63600, 938, 165.0, 71.5}});
}

TEST_CASE("a query that shares no products with others takes more, in digits") {
  const Digits bytes{.bits = 8, .most = 3};
  CHECK(ot::work_of_all(&bytes, 60000, 0, true) > ot::work_of_all(&bytes, 60000, 0));
  CHECK(ot::work_of_all(nullptr, 60000, 0, true) == ot::work_of_all(nullptr, 60000, 0));
  CHECK(ot::work_of_all(&bytes, 60000, 0) < ot::work_of_all(nullptr, 60000, 0));
  CHECK(ot::work_of_all(&bytes, 60000, 0) < ot::work_of_all(&bytes, 60000, 0.1));
}
