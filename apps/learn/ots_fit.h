#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "apps/learn/named_optimizer.h"
#include "apps/learn/objective.h"
#include "apps/options.h"
#include "ot/target.h"
#include "ot/transformer.h"

namespace apps {

/// --method chen (Chen et al., "A gradual, semi-discrete approach to generative network training via explicit
/// Wasserstein minimization", 2019), in rounds of --replay iterations. Before the first of a round psi is fitted by
/// Adam, theta fixed, for --inner steps at most, and of its last --replay batches is kept which point each g(z) was
/// sent to, its hit, argmin_j c(g(z), y_j) - psi_j: optimal transport solving, OTS. Each iteration then lowers the mean
/// of c(g(z), y_hit) on one of these batches of z, hits held fixed: FIT.
///
/// Adam descends the hits' shares of a batch alone where all points weigh the same: the 1 / J of the gradient (101) is
/// a shift of psi, but by Adam's own squares it would move points that are never hit at the full rate.
class OtsFit : public Objective {
 public:
  /// Starts at psi = 0. The target must outlive it. Throws Error where the rate is refused, and for 2^24 points or
  /// more, which a checkpoint can't number.
  OtsFit(const TrainOptions& options, const ot::Target& target);

  std::int64_t dimension() const override { return target_.dimension(); }
  std::int64_t steps(std::int64_t n) const override { return n % options_.replay == 0 ? options_.inner : 0; }
  /// Tested each 1000 steps, or --replay where that is less: whether of equal groups of consecutive points each was hit
  /// by the last --replay batches within 1 +- --settle of what it weighs. There are up to 1000, so many that hits are
  /// 256 a group, as theirs are: fewer tell nothing.
  bool settled() const override;
  /// A fit may take hours, and what is between its steps is all in the state: hits at lambda = 0 depend on no search.
  bool can_pause() const override { return true; }
  void begin(double progress) override;
  void step(const engine::Tensor& x, Draw points, std::int64_t n, std::int64_t k) override;
  void finish() override {}
  std::optional<InnerStep> replayed(std::int64_t n) const override;
  engine::Var loss(const engine::Var& x, const engine::Tensor& z, std::int64_t n) override;

  /// `psi`, `hits` [replay, batch], by the number of their step modulo replay, and `hits.steps`, those of the round;
  /// Adam's moments and `psi.steps`.
  ot::NamedTensors learned() override;
  ot::NamedTensors moments() override;
  std::int64_t most_state_bytes() override;
  void restore(const ot::NamedTensors& state, bool made) override;

  std::optional<engine::Tensor> psi() const override { return psi_.value(); }
  ot::Transformer::Counts ways() const override { return transform_.ways(); }

 private:
  /// The step of the inner loop whose batch iteration n takes again.
  std::int64_t step_of(std::int64_t n) const;
  void take_mean_away();

  TrainOptions options_;
  const ot::Target& target_;
  ot::Transformer transform_;
  engine::Var psi_;
  NamedOptimizer optimizer_;
  engine::Tensor hits_;
  std::int64_t fitted_ = 0;  // steps of the round's inner loop
};

}  // namespace apps
