#include "apps/learn/lipschitz_critic.h"

#include <algorithm>
#include <utility>

#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"

namespace apps {

using engine::real;
using engine::Tensor;
using engine::Var;

namespace {

/// y + u (x - y), u uniform on [0, 1) for each row.
Tensor between(const Tensor& x, const Tensor& y, const engine::Random& random) {
  const Var u = random.uniform({x.dim(0), 1}, 0, 1);
  return (y + u * (Var(x) - y)).value();
}

}  // namespace

LipschitzCritic::LipschitzCritic(const TrainOptions& options, const ot::Target& target,
                                 std::unique_ptr<models::Critic> critic)
    : CriticObjective(options, target, critics_of(std::move(critic))) {}

std::int64_t LipschitzCritic::steps(std::int64_t n) const {
  const bool burst = n < 25 || n % 500 == 0;
  return burst ? std::max(options_.inner, options_.critic_burst) : options_.inner;
}

Var LipschitzCritic::gradient_penalty(engine::Tape& tape, models::Critic& f, const Tensor& z) {
  Var at = z;
  tape.watch(at);
  const Var slope = tape.gradient(sum(f(at)), {at}, true).front();
  const Var beyond = sqrt(sum(slope * slope, {1}) + 1e-12) - 1;
  return mean(beyond * beyond);
}

void LipschitzCritic::step(const Tensor& x, Draw points, std::int64_t n, std::int64_t k) {
  const Tensor y = data(x.dim(0), points, n, k);
  descend([&](engine::Tape& tape) {
    const Var descended = mean(critic()(x)) - mean(critic()(y));
    if (options_.penalty == 0) return descended;
    const Tensor z = between(x, y, random_draws(options_.seed, beside(points), n, k));
    return descended + options_.penalty * gradient_penalty(tape, critic(), z);
  });
  if (options_.clip == 0) return;
  const auto bound = static_cast<real>(options_.clip);
  for (Var* p : optimizer().parameters())
    for (real& value : p->value().values()) value = std::clamp(value, -bound, bound);
}

Var LipschitzCritic::loss(const Var& x, const Tensor&, std::int64_t n) {
  const Tensor y = data(x.dim(0), Draw::generator_points, n, 0);
  return mean(critic()(y)) - mean(critic()(x));
}

}  // namespace apps
