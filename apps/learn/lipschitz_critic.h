#pragma once

#include <cstdint>
#include <memory>

#include "apps/learn/critic_objective.h"

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
class LipschitzCritic : public CriticObjective {
 public:
  /// As CriticObjective; the target's cost plays no part.
  LipschitzCritic(const TrainOptions& options, const ot::Target& target, std::unique_ptr<models::Critic> critic);

  /// --inner; with --critic-burst as many, where they are more, in the first 25 iterations and each 500th.
  std::int64_t steps(std::int64_t n) const override;
  void step(const engine::Tensor& x, Draw points, std::int64_t n, std::int64_t k) override;
  engine::Var loss(const engine::Var& x, const engine::Tensor& z, std::int64_t n) override;

  /// mean (||grad f(z)|| - 1)^2 over the rows z of a constant [B, d], to be differentiated in f's parameters. The root
  /// is taken of the square plus 1e-12, since it has no gradient at 0.
  static engine::Var gradient_penalty(engine::Tape& tape, models::Critic& f, const engine::Tensor& z);
};

}  // namespace apps
