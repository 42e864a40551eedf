#include "ot/plan/cost_matrix.h"

#include <cmath>
#include <memory>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "ot/cityblock_cost.h"
#include "ot/power_cost.h"
#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;

namespace {

/// log(1 + |x_0 - y_0|), which has no fast way.
struct LogCost : GroundCost {
  double value(Point x, Point y) const override { return std::log1p(std::abs(x[0] - y[0])); }
  void add_gradient(Point, Point, real, std::span<real>) const override {}
};

std::vector<double> normal(std::size_t n, std::uint64_t stream) {
  std::vector<double> values;
  for (std::size_t k = 0; k < n; ++k) values.push_back(Random(50, stream).normal(k));
  return values;
}

}  // namespace

TEST_CASE("every tile of a cost matrix between points has the costs of its pairs, for any cost, held or not") {
  const std::int64_t n = 9, m = 37, d = 3;
  const std::vector<double> x = normal(27, 0), y = normal(111, 1);
  const PrecisePoints from{x, {}, n, d}, to{y, {}, m, d};
  const auto check = [&](const std::shared_ptr<const GroundCost>& ground) {
    CostMatrix costs = cost_matrix(from, to, 0.5, ground);
    for (const bool held : {false, true}) {
      if (held) costs.hold();
      for (const CostTile tile : {CostTile{0, 9, 0, 37}, CostTile{2, 5, 16, 16}, CostTile{8, 1, 15, 2},
                                  CostTile{0, 4, 36, 1}, CostTile{1, 3, 5, 30}}) {
        std::vector<double> out(static_cast<std::size_t>(tile.rows * tile.columns + 1), 42), x_buffer, y_buffer;
        costs.tile(tile, out.data());
        CHECK(out.back() == 42);
        for (std::int64_t r = 0; r < tile.rows; ++r)
          for (std::int64_t c = 0; c < tile.columns; ++c) {
            const PrecisePoint a = from(tile.first_row + r, x_buffer), b = to(tile.first_column + c, y_buffer);
            const double wanted = ground ? ground->precise_value(a, b) : precise_squared_distance(a, b);
            CHECK(out[static_cast<std::size_t>(r * tile.columns + c)] == doctest::Approx(wanted / 2).epsilon(1e-14));
          }
      }
    }
  };
  check(nullptr);
  for (const double power : {1.0, 1.5, 2.0}) check(std::make_shared<PowerCost>(power));
  check(std::make_shared<CityblockCost>());
  check(std::make_shared<LogCost>());
}

TEST_CASE("bytes stand for byte / 255 in a cost matrix") {
  const std::vector<std::uint8_t> x{0, 255, 51, 102}, y{255, 0};
  const CostMatrix costs = cost_matrix({{}, x, 2, 2}, {{}, y, 1, 2}, 1, nullptr);
  double column[2];
  costs.tile({0, 2, 0, 1}, column);
  CHECK(column[0] == doctest::Approx(2));
  CHECK(column[1] == doctest::Approx(0.64 + 0.16));
  const std::vector<double> line(3, 0);
  CHECK_THROWS_WITH_AS(cost_matrix({{}, x, 2, 2}, {line, {}, 3, 1}, 1, nullptr),
                       "[cost matrix] points must be of one dimension: 2 against 1", engine::Error);
}
