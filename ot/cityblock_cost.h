#pragma once

#include "ot/ground_cost.h"

namespace ot {

/// The l1 norm of x - y, sum_c |x_c - y_c|, the `cityblock` of SciPy and POT. Where coordinates are equal, the gradient
/// in them is 0.
class CityblockCost : public GroundCost {
 public:
  double value(Point x, Point y) const override;
  void add_gradient(Point x, Point y, real weight, std::span<real> gradient) const override;
  double precise_value(PrecisePoint x, PrecisePoint y) const override;
  void precise_values(PreciseRows x, PreciseGroups y, double scale, double* values) const override;
  std::optional<double> degree() const override { return 1; }
};

}  // namespace ot
