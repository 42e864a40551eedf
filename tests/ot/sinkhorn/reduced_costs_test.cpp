#include "ot/sinkhorn/reduced_costs.h"

#include <doctest/doctest.h>

#include "tests/ot/oracle.h"

using namespace ot;
using namespace ot::testing;

TEST_CASE("reduced costs are costs less both potentials, subtracted before they are rounded, held or not") {
  const std::int64_t n = 21, m = 300;
  std::vector<double> values, phi, psi;
  for (std::uint64_t k = 0; k < 21 * 300; ++k) values.push_back(1e6 + Random(60, 0).uniform(k));
  for (std::uint64_t i = 0; i < 21; ++i) phi.push_back(1e6 - Random(60, 1).uniform(i));
  for (std::uint64_t j = 0; j < 300; ++j) psi.push_back(Random(60, 2).uniform(j));
  const CostMatrix costs(n, m, values);
  for (const double most_held : {sizeof(real) * 6300.0, sizeof(real) * 6299.0}) {
    ReducedCosts reduced(costs, most_held);
    CHECK(reduced.held() == (most_held == sizeof(real) * 6300.0));
    reduced.refer_to(phi, psi);
    ReducedCosts::Buffers buffers;
    for (const CostTile tile : {CostTile{0, 16, 0, 256}, CostTile{16, 5, 256, 44}, CostTile{20, 1, 0, 300}}) {
      const ReducedCosts::Tile found = reduced.tile(tile, buffers);
      int wrong = 0;
      for (std::int64_t r = 0; r < tile.rows; ++r)
        for (std::int64_t c = 0; c < tile.columns; ++c) {
          const auto i = static_cast<std::size_t>(tile.first_row + r),
                     j = static_cast<std::size_t>(tile.first_column + c);
          wrong += found.data[r * found.stride + c] != static_cast<real>(values[i * 300 + j] - phi[i] - psi[j]);
        }
      CHECK(wrong == 0);
    }
  }
}
