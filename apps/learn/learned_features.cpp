#include "apps/learn/learned_features.h"

#include <utility>

#include "apps/costs.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "ot/plan/pair_costs.h"
#include "ot/sinkhorn/batch_transport.h"

namespace apps {

using engine::Tensor;
using engine::Var;

LearnedFeatures::LearnedFeatures(const TrainOptions& options, const ot::Target& target,
                                 std::unique_ptr<models::Critic> f)
    : CriticObjective(options, target, critics_of(std::move(f))),
      cost_(make_cost(options.cost, options.cost_power, options.cost_scale)) {
  engine::require(options.cost_scale != "alpha",
                  "--cost-scale alpha is a mean over the data, and the features of --method liu-features change: take "
                  "one or half");
}

Var LearnedFeatures::transport(const Var& f, const Var& g) const {
  const double scale = cost_.scale == ot::CostScale::half ? 0.5 : 1;
  return ot::batch_transport(ot::pair_costs(f, g, scale, cost_.ground), {.lambda = options_.lambda, .sharp = true});
}

Var LearnedFeatures::triplet_loss(const Var& x, const Var& y, const Var& other) {
  const Var features = critic()(y);
  return relu(transport(features, critic()(other)) - transport(features, critic()(x)) + options_.margin);
}

void LearnedFeatures::step(const Tensor& x, Draw points, std::int64_t n, std::int64_t k) {
  const Tensor y = data(x.dim(0), points, n, 2 * k), other = data(x.dim(0), points, n, 2 * k + 1);
  descend([&](engine::Tape&) { return triplet_loss(x, y, other); });
}

Var LearnedFeatures::loss(const Var& x, const Tensor&, std::int64_t n) {
  const Tensor y = data(x.dim(0), Draw::generator_points, n, 0);
  return transport(critic()(y), critic()(x));
}

}  // namespace apps
