#pragma once

#include <cstdint>

#include "apps/learn/objective.h"
#include "apps/options.h"
#include "ot/restricted/restricted_ascent.h"
#include "ot/restricted/restricted_potential.h"
#include "ot/target.h"

namespace apps {

/// --method leclaire-rabin: H, at lambda = 0, with psi restricted to a tree of --branches clusters (Leclaire and Rabin,
/// 2021), by averaged stochastic ascent of each of its layers in the inner loop. A step costs about as much as the root
/// of the number of points, in place of that number. What it lowers is at its best the cost of a map that clusters are
/// in the way of, W_0 at least.
class RestrictedObjective : public Objective {
 public:
  /// Clusters the points; psi starts at 0. The target must outlive it. Throws Error where a step length or a decay is
  /// refused, and for more clusters than points.
  RestrictedObjective(const TrainOptions& options, const ot::Target& target);

  std::int64_t dimension() const override { return target_.dimension(); }
  std::int64_t steps(std::int64_t) const override { return options_.inner; }
  void begin(double progress) override;
  void step(const engine::Tensor& x, Draw, std::int64_t, std::int64_t) override { ascent_.step(x); }
  void finish() override { ascent_.finish(); }
  engine::Var loss(const engine::Var& x, const engine::Tensor& z, std::int64_t n) override;

  /// `psi.layer.l`, and the tree, `clusters.l`; nothing beside.
  ot::NamedTensors learned() override { return psi_.state(); }
  ot::NamedTensors moments() override { return {}; }
  std::int64_t most_state_bytes() override;
  void restore(const ot::NamedTensors& state, bool) override { psi_.restore(state); }

 private:
  TrainOptions options_;
  const ot::Target& target_;
  ot::RestrictedPotential psi_;
  ot::RestrictedAscent ascent_;
};

}  // namespace apps
