#pragma once

#include <cstdint>
#include <vector>

#include "ot/c_transform.h"
#include "tests/ot/oracle.h"

namespace ot::testing {

inline constexpr Wanted everything{.gradient = true, .mass = true};
inline constexpr double lambdas[] = {0, 1e-4, 1e-3, 0.025, 0.1, 1, 10};

/// A c-transform for ||x - y||^2.
struct Case {
  std::vector<real> y;
  std::int64_t count, dimension;
  std::vector<double> weights;
  Tensor x, psi;

  Target target(CostScale cost = CostScale::inverse_alpha) const { return Target(y, count, dimension, cost, weights); }
};

/// Normal points and queries, and potentials of the size of the costs' differences.
inline Case random_case(std::int64_t batch, std::int64_t count, std::int64_t dimension, double offset = 0) {
  Case c;
  c.count = count;
  c.dimension = dimension;
  c.y = vector_of(Random(5, 0).normal({count, dimension}, static_cast<real>(offset), 1));
  c.x = Random(5, 1).normal({batch, dimension}, static_cast<real>(offset), 1);
  c.psi = Random(5, 2).normal({count}, 0, real(0.2));
  return c;
}

}  // namespace ot::testing
