#include "ot/search/search_work.h"

#include <doctest/doctest.h>

using engine::simd::Digits;

namespace {

/// A batch of 200 queries to the 60000 digits of MNIST, at some iteration of the paper's run, lambda > 0: how many
/// digits its terms need, what its search counts for a query, and how many ms the search and the brute force took, once
/// a sketch was fitted.
struct Snapshot {
  int iteration;
  double lambda;
  int digits;
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
        .values = at.values + ot::work_of_products(level, at.pairs, at.digits) + at.pairs / ot::measured::terms,
        .rows = at.rows};
    const bool searched = search.cost() < ot::work_of_all(level, at.digits, 60000, at.lambda);
    CHECK((searched ? at.search_ms : at.all_ms) <= alike * (searched ? at.all_ms : at.search_ms));
  }
}

}  // namespace

TEST_CASE("counted work tells the faster way to the batches of a run, with digits of 8 bits and of 16") {
  // One core of a Zen 5.
  check({.bits = 8, .most = 3}, {{0, 0.002, 3, 483, 963, 0, 31, 33.8, 52.6},
                                 {0, 0.005, 3, 0, 0, 47800, 834, 61.7, 59.0},
                                 {0, 0.025, 2, 0, 0, 60000, 938, 44.3, 38.8},
                                 {10, 0.002, 3, 0, 0, 940, 18, 9.6, 53.0},
                                 {10, 0.005, 3, 0, 0, 2700, 79, 11.1, 59.7},
                                 {10, 0.025, 2, 0, 0, 39730, 765, 39.9, 40.9},
                                 {10, 0.1, 2, 0, 0, 60000, 938, 40.9, 39.4},
                                 {100, 0.005, 3, 0, 0, 3750, 80, 8.1, 57.0},
                                 {100, 0.025, 2, 0, 0, 26430, 498, 28.8, 48.2},
                                 {100, 0.1, 2, 0, 0, 60000, 938, 41.8, 41.1}});
  check({.bits = 16, .most = 2}, {{0, 0.002, 2, 483, 963, 0, 31, 47.3, 114.9},
                                  {0, 0.005, 2, 1, 0, 47790, 834, 115.0, 115.9},
                                  {0, 0.025, 1, 0, 0, 60000, 938, 71.0, 71.2},
                                  {10, 0.002, 2, 0, 0, 1100, 18, 17.5, 125.3},
                                  {10, 0.005, 2, 0, 0, 2690, 79, 21.3, 129.8},
                                  {10, 0.025, 1, 1, 0, 39710, 765, 74.4, 73.5},
                                  {10, 0.1, 1, 0, 0, 60000, 938, 70.3, 72.4},
                                  {100, 0.005, 2, 0, 0, 3750, 80, 15.0, 122.9},
                                  {100, 0.025, 1, 1, 0, 26420, 498, 47.6, 80.7},
                                  {100, 0.1, 1, 0, 0, 60000, 938, 68.0, 67.6}});
}

TEST_CASE("counted work tells the faster way to real points of few coordinates and of some") {
  /// A batch of N(0, I) to MNIST in so many principal coordinates, scaled to N(0, I)'s mean square.
  struct Real {
    std::int64_t dimension, sketched;
    double lambda, near;
    ot::SearchWork work;
    double search_ms, all_ms;
  };
  // One core of a Zen 5; the last three with psi at its optimum.
  for (const Real& at : {Real{5, 6, 0, 0.011, {.groups = 1, .values = 0}, 1.3, 11.2},
                         Real{5, 6, 0.05, 0.141, {.groups = 169, .values = 990, .rows = 71}, 15.8, 20.7},
                         Real{10, 11, 0.05, 0.333, {.groups = 20, .values = 27, .rows = 12}, 4.5, 17.1},
                         Real{20, 21, 0, 0.77, {.groups = 1, .values = 1}, 6.0, 13.1},
                         Real{20, 21, 0.05, 0.813, {.groups = 5, .values = 4, .rows = 3}, 6.9, 17.8},
                         Real{50, 41, 0, 0.992, {.groups = 247, .values = 80}, 39.2, 17.4},
                         Real{50, 41, 0.05, 0.993, {.groups = 294, .values = 854, .rows = 15}, 36.9, 21.8},
                         Real{50, 41, 0, 0.999, {.groups = 356, .values = 150}, 47.1, 16.8},
                         Real{50, 41, 0.01, 0.999, {.groups = 366, .values = 1616, .rows = 14}, 60.0, 25.7},
                         Real{50, 41, 0.1, 1, {.groups = 484, .values = 2316, .rows = 31}, 50.9, 21.6}}) {
    CAPTURE(at.dimension);
    CAPTURE(at.lambda);
    const bool searched = ot::work_of_search_in_real(at.work, at.dimension, at.sketched, at.near * 60000) <
                          ot::work_of_all_in_real(at.dimension, 60000, at.lambda);
    CHECK((searched ? at.search_ms : at.all_ms) <= (searched ? at.all_ms : at.search_ms));
  }
}

TEST_CASE("a query that shares no products with others takes more, in digits") {
  const Digits bytes{.bits = 8, .most = 3};
  CHECK(ot::work_of_all(bytes, 1, 60000, 0, true) > ot::work_of_all(bytes, 1, 60000, 0));
  CHECK(ot::work_of_all(bytes, 1, 60000, 0) < ot::work_of_all_in_real(784, 60000, 0));
  CHECK(ot::work_of_all(bytes, 1, 60000, 0) < ot::work_of_all(bytes, 1, 60000, 0.1));
}
