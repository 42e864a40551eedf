#pragma once

#include <cstdint>

#include "apps/learn/objective.h"
#include "apps/options.h"
#include "ot/target.h"

namespace apps {

/// Transport between a batch of the generator, x, and one of the data, y, of as many points: nothing is learned but the
/// generator. The mean over batches is no distance: it is above 0 where both are of one law, and falls with the batch.
///
/// --method genevay (Genevay, Peyre and Cuturi, "Learning generative models with Sinkhorn divergences", 2018):
/// W_lambda(x, y), lambda > 0; with --loss sinkhorn-divergence W_lambda(x, y) - (W_lambda(x, x) + W_lambda(y, y)) / 2.
/// Values are the entropic ones (8), whose gradient is that of the plan held fixed, sum_j pi_ij grad c(x_i, y_j); the
/// paper's own steps go through the iterations that lead to the plan.
///
/// --method fatras (Fatras et al., "Learning with minibatch Wasserstein", 2020): the same with --lambda 0 by default,
/// where the plan is exact.
class BatchTransport : public Objective {
 public:
  /// The target must outlive it.
  BatchTransport(const TrainOptions& options, const ot::Target& target) : options_(options), target_(target) {}

  std::int64_t dimension() const override { return target_.dimension(); }
  std::int64_t steps(std::int64_t) const override { return 0; }
  void begin(double) override {}
  void step(const engine::Tensor&, Draw, std::int64_t, std::int64_t) override {}
  void finish() override {}
  engine::Var loss(const engine::Var& x, const engine::Tensor& z, std::int64_t n) override;

  ot::NamedTensors learned() override { return {}; }
  ot::NamedTensors moments() override { return {}; }
  std::int64_t most_state_bytes() override { return 0; }
  void restore(const ot::NamedTensors&, bool) override {}

 private:
  TrainOptions options_;
  const ot::Target& target_;
};

/// W_lambda of the uniform measure on x [B, d] to nu, all of it, -> scalar, with its gradient in x, the plan held
/// fixed: by exact_transport() at lambda = 0, otherwise by sinkhorn(). Throws Error for an x that does not fit, and
/// `[batch_transport] can not be differentiated twice`. NaN where x is not finite.
engine::Var batch_transport(const ot::Target& nu, const engine::Var& x, double lambda);

}  // namespace apps
