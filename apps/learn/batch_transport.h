#pragma once

#include <cstdint>

#include "apps/learn/data_draws.h"
#include "apps/learn/objective.h"
#include "apps/options.h"
#include "ot/sinkhorn/batch_transport.h"
#include "ot/target.h"

namespace apps {

/// Transport between a batch of the generator, x, and one of the data, y, of as many points: nothing is learned but the
/// generator. The mean over batches is no distance: it is above 0 where both are of one law, and falls with the batch.
///
/// --method genevay (Genevay, Peyre and Cuturi, "Learning generative models with Sinkhorn divergences", 2018): U(x, y),
/// the entropic value W_lambda (8) or, --plan-value sharp, <p, c> of its plan p; lambda > 0. With --loss
/// sinkhorn-divergence U(x, y) - (U(x, x) + U(y, y)) / 2. The plan is held fixed, so that the gradient is
/// sum_j p_ij grad c(x_i, y_j) for either value, or --unrolled: it is differentiated as well.
///
/// --method liu (Liu et al., "Entropy-regularized optimal transport generative models", ICASSP 2019): the same, a sharp
/// value with the plan held.
///
/// --method fatras (Fatras et al., "Learning with minibatch Wasserstein", 2020): the same with --lambda 0 by default,
/// where the plan is exact. --loss batch-divergence, U(x, y) - (U(x, x') + U(y, y')) / 2 with independent batches
/// (Fatras et al., "Minibatch optimal transport distances", 2021), has the mean 0 where both laws are one, at any
/// lambda; it may be negative. x and x' are the halves of the generator's batch, y and y' draws of as many points, and
/// U(x, y) the mean of U(x, y) and U(x', y').
///
/// --pairs k draws k batches of the data against the one of the generator, and takes the means of what depends on them:
/// unbiased as with one, since the mean of a sum is that of its terms, and with one pass through the generator.
class BatchTransport : public Objective {
 public:
  /// The target must outlive it. Throws Error for a batch that can't be halved, with --loss batch-divergence.
  BatchTransport(const TrainOptions& options, const ot::Target& target);

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
  /// U(x, y), and U(x, x).
  engine::Var transport(const engine::Var& x, const engine::Var& y) const;
  engine::Var to_itself(const engine::Var& x) const;
  engine::Var batch_divergence(const engine::Var& x, std::int64_t n) const;
  engine::Tensor batch_of_data(std::int64_t count, std::int64_t n, std::int64_t k) const;

  TrainOptions options_;
  const ot::Target& target_;
  DataDraws draws_;
  ot::BatchPlan plan_;
};

}  // namespace apps
