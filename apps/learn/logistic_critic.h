#pragma once

#include <cstdint>
#include <memory>

#include "apps/learn/critic_objective.h"

namespace apps {

/// --method gan (Goodfellow et al., 2014; the DCGAN's setting, Radford et al., 2016). A critic f is the logit of how
/// likely a point is of the data: it lowers mean log(1 + e^f(x)) + mean log(1 + e^-f(y)), over a batch of the generator
/// and one of the data, least 2 log 2 less twice the Jensen-Shannon divergence. The generator lowers
/// mean log(1 + e^-f(x)), the loss whose gradient does not vanish where f tells it from the data; log 2 where it
/// can't.
class LogisticCritic : public CriticObjective {
 public:
  /// As CriticObjective; the target's cost plays no part.
  LogisticCritic(const TrainOptions& options, const ot::Target& target, std::unique_ptr<models::Critic> critic);

  void step(const engine::Tensor& x, Draw points, std::int64_t n, std::int64_t k) override;
  engine::Var loss(const engine::Var& x, const engine::Tensor& z, std::int64_t n) override;
};

}  // namespace apps
