#include "apps/report/axis.h"

#include <cmath>

#include <doctest/doctest.h>

using namespace apps::report;
using Labels = std::vector<std::string>;

TEST_CASE("ticks are multiples of 1, 2 or 5 times a power of ten on the axis") {
  CHECK(tick_labels(ticks({0, 299}, 6)) == Labels{"0", "50", "100", "150", "200", "250"});
  CHECK(tick_labels(ticks({0, 1}, 6)) == Labels{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"});
  CHECK(tick_labels(ticks({-0.013, 0.021}, 5)) == Labels{"-0.01", "0.00", "0.01", "0.02"});
  CHECK(tick_labels(ticks({99990, 100010}, 3)) == Labels{"99990", "100000", "100010"});
  CHECK(tick_labels(ticks({3e-9, 1.1e-8}, 3)) == Labels{"5e-09", "1e-08"});
  for (const Axis axis : {Axis{0, 7}, Axis{-3.7, 1e6}, Axis{1e-12, 3e-12}, Axis{0.1, 0.30000001}, Axis{5, 5.001}})
    for (const int most : {2, 3, 6, 10}) {
      const std::vector<double> t = ticks(axis, most);
      INFO(axis.low, " to ", axis.high, ", at most ", most);
      CHECK(t.size() <= static_cast<std::size_t>(most));
      for (const double tick : t) {
        CHECK(axis.part(tick) >= -1e-6);
        CHECK(axis.part(tick) <= 1 + 1e-6);
      }
    }
}

TEST_CASE("a rounded axis begins and ends at ticks and holds the one it rounds") {
  for (const Axis axis : {Axis{0.13, 1.99}, Axis{-3.7, 1e6}, Axis{1e-12, 3e-12}, Axis{5, 5.001}, Axis{0, 2}}) {
    const Axis around = rounded(axis, 6);
    CHECK(around.low <= axis.low + 1e-9 * (axis.high - axis.low));
    CHECK(around.high >= axis.high - 1e-9 * (axis.high - axis.low));
    const std::vector<double> t = ticks(around, 6);
    CHECK(around.part(t.front()) == doctest::Approx(0));
    CHECK(around.part(t.back()) == doctest::Approx(1));
  }
  CHECK(rounded({0, 2}, 6).high == doctest::Approx(2));
}

TEST_CASE("an axis for one value lies around it") {
  for (const double value : {0.0, 3.0, -1e-7, 1e9}) {
    const Axis axis = axis_of(value, value);
    CHECK(axis.low < value);
    CHECK(value < axis.high);
    CHECK_FALSE(ticks(axis, 6).empty());
  }
  CHECK(axis_of(1, 2).low == 1);
}
