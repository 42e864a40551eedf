#include "apps/learn/logistic_critic.h"

#include <utility>

#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"

namespace apps {

using engine::Tensor;
using engine::Var;

LogisticCritic::LogisticCritic(const TrainOptions& options, const ot::Target& target,
                               std::unique_ptr<models::Critic> critic)
    : CriticObjective(options, target, critics_of(std::move(critic))) {}

void LogisticCritic::step(const Tensor& x, Draw points, std::int64_t n, std::int64_t k) {
  const Tensor y = data(x.dim(0), points, n, k);
  descend([&](engine::Tape&) { return mean(softplus(critic()(x))) + mean(softplus(-critic()(y))); });
}

Var LogisticCritic::loss(const Var& x, const Tensor&, std::int64_t) {
  return mean(softplus(-critic()(x)));
}

}  // namespace apps
