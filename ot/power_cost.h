#pragma once

#include "ot/ground_cost.h"

namespace ot {

/// ||x - y||^p for p >= 1, with the Euclidean norm: the paper's example of a ground cost. Its gradient p ||x - y||^(p -
/// 2) (x - y) is taken as 0 at x = y, which for p = 1 is a subgradient.
///
/// Many pairs are made by a product of points around the middle of y, ||x'||^2 + ||y'||^2 - 2 x'.y', which rounds by a
/// share of
/// ||x'||^2 + ||y'||^2. Pairs whose distance is small beside that are taken by differences, so that values and
/// gradients keep their digits however near x is to y.
class PowerCost : public GroundCost {
 public:
  /// Throws Error for p that is not finite or below 1.
  explicit PowerCost(double p);

  double value(Point x, Point y) const override;
  void add_gradient(Point x, Point y, real weight, std::span<real> gradient) const override;
  void values(Rows x, Rows y, real* values) const override;
  void add_gradients(Rows x, Rows y, const real* weights, real* gradients) const override;
  double precise_value(PrecisePoint x, PrecisePoint y) const override;
  void precise_values(PreciseRows x, PreciseGroups y, double scale, double* values) const override;
  std::optional<double> degree() const override { return p_; }

 private:
  double p_;
};

}  // namespace ot
