#pragma once

#include <cstdint>
#include <memory>

#include "apps/learn/data_draws.h"
#include "apps/learn/named_optimizer.h"
#include "apps/learn/objective.h"
#include "apps/options.h"
#include "models/critic.h"
#include "ot/target.h"

namespace apps {

/// Wasserstein GANs. A critic f ascends mean f(y) - mean f(x), over a batch of the data and one of the generator, which
/// the generator lowers; over all f with slopes of at most K its maximum is K W_1 for the cost ||x - y||
/// (Kantorovich and Rubinstein). What bounds the slopes:
///
/// --method wgan (Arjovsky, Chintala and Bottou, 2017): after each step every parameter is brought into [-clip, clip].
/// K is then some constant of the network.
///
/// --method wgan-gp (Gulrajani et al., 2017): f ascends that less penalty mean (||grad f(z)|| - 1)^2, at a point
/// z = y + u (x - y) of each pair, u uniform on [0, 1]. K is near 1.
class LipschitzCritic : public Objective {
 public:
  /// The target, whose cost plays no part, must outlive it. Throws Error where the optimizer refuses a rate or a beta.
  LipschitzCritic(const TrainOptions& options, const ot::Target& target, std::unique_ptr<models::Critic> critic);

  std::int64_t dimension() const override { return target_.dimension(); }
  /// --inner; with --critic-burst as many, where they are more, in the first 25 iterations and each 500th.
  std::int64_t steps(std::int64_t n) const override;
  void begin(double progress) override;
  void step(const engine::Tensor& x, Draw points, std::int64_t n, std::int64_t k) override;
  void finish() override {}
  engine::Var loss(const engine::Var& x, const engine::Tensor& z, std::int64_t n) override;

  /// The critic's parameters; the moments of its optimizer and their `critic.steps`.
  ot::NamedTensors learned() override;
  ot::NamedTensors moments() override;
  std::int64_t most_state_bytes() override;
  void restore(const ot::NamedTensors& state, bool made) override;

  /// mean (||grad f(z)|| - 1)^2 over the rows z of a constant [B, d], to be differentiated in f's parameters. The root
  /// is taken of the square plus 1e-12, since it has no gradient at 0.
  static engine::Var gradient_penalty(engine::Tape& tape, models::Critic& f, const engine::Tensor& z);

 private:
  TrainOptions options_;
  const ot::Target& target_;
  DataDraws draws_;
  std::unique_ptr<models::Critic> f_;
  NamedOptimizer optimizer_;
};

}  // namespace apps
