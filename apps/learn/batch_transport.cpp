#include "apps/learn/batch_transport.h"

#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/shape.h"
#include "ot/plan/pair_costs.h"
#include "ot/sinkhorn/self_transport.h"

namespace apps {

using engine::Tensor;
using engine::Var;

BatchTransport::BatchTransport(const TrainOptions& options, const ot::Target& target)
    : options_(options),
      target_(target),
      draws_(target),
      plan_{options.lambda, options.plan_value == "sharp", options.unrolled} {
  engine::require(options.loss != "batch-divergence" || options.batch % 2 == 0,
                  "--loss batch-divergence halves the generator's batch: --batch must be even: ", options.batch);
}

Var BatchTransport::transport(const Var& x, const Var& y) const {
  return ot::batch_transport(ot::pair_costs(target_, x, y), plan_);
}

Var BatchTransport::to_itself(const Var& x) const {
  const bool entropic = !plan_.sharp && plan_.unrolled == 0;
  return entropic ? ot::self_transport(target_, x, plan_.lambda) : transport(x, x);
}

Tensor BatchTransport::batch_of_data(std::int64_t count, std::int64_t n, std::int64_t k) const {
  return draws_(count, random_draws(options_.seed, Draw::generator_points, n, k));
}

Var BatchTransport::batch_divergence(const Var& x, std::int64_t n) const {
  const std::int64_t half = x.dim(0) / 2;
  const Var first = slice(x, 0, 0, half), second = slice(x, 0, half, 2 * half);
  Var sum = Tensor::scalar(0);
  for (std::int64_t pair = 0; pair < options_.pairs; ++pair) {
    const Tensor y = batch_of_data(half, n, 2 * pair), other = batch_of_data(half, n, 2 * pair + 1);
    sum = sum + (transport(first, y) + transport(second, other) - transport(y, other));
  }
  return 0.5 * (sum * (1 / static_cast<double>(options_.pairs)) - transport(first, second));
}

Var BatchTransport::loss(const Var& x, const Tensor&, std::int64_t n) {
  if (options_.loss == "batch-divergence") return batch_divergence(x, n);
  const bool divergence = options_.loss == "sinkhorn-divergence";
  Var sum = Tensor::scalar(0);
  for (std::int64_t pair = 0; pair < options_.pairs; ++pair) {
    const Tensor y = batch_of_data(x.dim(0), n, pair);
    sum = sum + transport(x, y);
    if (divergence) sum = sum - 0.5 * to_itself(y);
  }
  const Var mean = sum * (1 / static_cast<double>(options_.pairs));
  return divergence ? mean - 0.5 * to_itself(x) : mean;
}

}  // namespace apps
