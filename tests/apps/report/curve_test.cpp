#include "apps/report/curve.h"

#include <numeric>

#include <doctest/doctest.h>

#include "tests/apps/program.h"

using namespace apps::report;

namespace {

std::vector<std::int64_t> up_to(std::int64_t n) {
  std::vector<std::int64_t> iterations(static_cast<std::size_t>(n));
  std::iota(iterations.begin(), iterations.end(), 0);
  return iterations;
}

}  // namespace

TEST_CASE("few values are all points") {
  const Thinned points = thinned({3, 7, 8}, {1, 5, 2}, 3);
  CHECK(points.first == std::vector<std::int64_t>{3, 7, 8});
  CHECK(points.last == points.first);
  CHECK(points.mean == std::vector<double>{1, 5, 2});
  CHECK(points.low == points.mean);
  CHECK(points.high == points.mean);
}

TEST_CASE("many values are thinned to means and ranges, and the last has what is left over") {
  std::vector<double> values(100000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i % 2) + static_cast<double>(i / 334);
  const Thinned points = thinned(up_to(100000), values, 300);
  REQUIRE(points.mean.size() == 300);
  for (std::size_t i = 0; i < 300; ++i) {
    CHECK(points.first[i] == static_cast<std::int64_t>(334 * i));
    CHECK(points.last[i] == std::min<std::int64_t>(99999, points.first[i] + 333));
    CHECK(points.mean[i] == doctest::Approx(static_cast<double>(i) + 0.5));
    CHECK(points.low[i] == static_cast<double>(i));
    CHECK(points.high[i] == static_cast<double>(i) + 1);
  }
}

TEST_CASE("a curve shows its last value, says its course and keeps what the pointer asks for") {
  const std::string html = curve({0, 1, 2}, {2, 0.5, 1}, "loss <H>", "H & more");
  CHECK(contains(html, "<output>iteration 2: 1</output>"));
  CHECK(contains(html,
                 "aria-label=\"The loss &lt;H&gt; over the iterations: 2 at iteration 0, 1 at iteration 2, lowest "
                 "0.5 at iteration 1.\""));
  CHECK(contains(html, "<span>H &amp; more</span>"));
  CHECK(contains(html, " data-first=\"0 1 2\" data-last=\"0 1 2\" data-mean=\"2 0.5 1\""));
  CHECK(contains(html, "<path class=\"curve\" d=\"M0 0L500 1000L1000 667\"/>"));
  CHECK_FALSE(contains(html, "class=\"band\""));
}

TEST_CASE("a long curve stays small and has a band") {
  std::vector<double> values(100000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.3 + static_cast<double>(i * 7919 % 1000) / 3e4;
  const std::string html = curve(up_to(100000), values, "loss", "H");
  CHECK(html.size() < 25000);
  CHECK(contains(html, "class=\"band\""));
  CHECK(contains(html, "<output>iterations 99866 to 99999: mean 0.31"));
}

TEST_CASE("a single value and equal ones can be drawn") {
  CHECK(contains(curve({5}, {0.25}, "loss", "H"), "<output>iteration 5: 0.25</output>"));
  CHECK(contains(curve({0, 1}, {0, 0}, "loss", "H"), "d=\"M0 500L1000 500\""));
}
