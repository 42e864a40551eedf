#include "apps/learn/lipschitz_critic.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "apps/checkpoint.h"
#include "apps/learn/rate_schedule.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"

namespace apps {

using engine::real;
using engine::Tensor;
using engine::Var;

namespace {

/// The tensor that counts the critic's steps.
constexpr const char* steps_made = "critic.steps";

/// y + u (x - y), u uniform on [0, 1) for each row.
Tensor between(const Tensor& x, const Tensor& y, const engine::Random& random) {
  const Var u = random.uniform({x.dim(0), 1}, 0, 1);
  return (y + u * (Var(x) - y)).value();
}

/// Where they lie, for a step that draws points of the data so.
Draw places_for(Draw points) {
  return points == Draw::warmup_points ? Draw::warmup_places : Draw::dual_places;
}

}  // namespace

LipschitzCritic::LipschitzCritic(const TrainOptions& options, const ot::Target& target,
                                 std::unique_ptr<models::Critic> critic)
    : options_(options),
      target_(target),
      draws_(target),
      f_(std::move(critic)),
      optimizer_(options, options.dual_lr, f_->parameters()) {}

std::int64_t LipschitzCritic::steps(std::int64_t n) const {
  const bool burst = n < 25 || n % 500 == 0;
  return burst ? std::max(options_.inner, options_.critic_burst) : options_.inner;
}

void LipschitzCritic::begin(double progress) {
  optimizer_.set_rate(options_.dual_lr * share_of_rate(options_.dual_schedule, progress, 0.05));
}

Var LipschitzCritic::gradient_penalty(engine::Tape& tape, models::Critic& f, const Tensor& z) {
  Var at = z;
  tape.watch(at);
  const Var slope = tape.gradient(sum(f(at)), {at}, true).front();
  const Var beyond = sqrt(sum(slope * slope, {1}) + 1e-12) - 1;
  return mean(beyond * beyond);
}

void LipschitzCritic::step(const Tensor& x, Draw points, std::int64_t n, std::int64_t k) {
  const Tensor y = draws_(x.dim(0), random_draws(options_.seed, points, n, k));
  engine::Tape tape;
  std::vector<Var> parameters;
  for (Var* p : optimizer_.parameters()) {
    tape.watch(*p);
    parameters.push_back(*p);
  }
  Var descended = mean((*f_)(x)) - mean((*f_)(y));
  if (options_.penalty > 0) {
    const Tensor z = between(x, y, random_draws(options_.seed, places_for(points), n, k));
    descended = descended + options_.penalty * gradient_penalty(tape, *f_, z);
  }
  optimizer_.step(tape.gradient(descended, parameters));
  if (options_.clip == 0) return;
  const auto bound = static_cast<real>(options_.clip);
  for (Var* p : optimizer_.parameters())
    for (real& value : p->value().values()) value = std::clamp(value, -bound, bound);
}

Var LipschitzCritic::loss(const Var& x, const Tensor&, std::int64_t n) {
  const Tensor y = draws_(x.dim(0), random_draws(options_.seed, Draw::generator_points, n, 0));
  return mean((*f_)(y)) - mean((*f_)(x));
}

ot::NamedTensors LipschitzCritic::learned() {
  ot::NamedTensors tensors;
  for (const models::Parameter& p : f_->parameters()) tensors.emplace_back(p.name, p.variable->value());
  return tensors;
}

ot::NamedTensors LipschitzCritic::moments() {
  ot::NamedTensors tensors = optimizer_.moments();
  tensors.emplace_back(steps_made, Tensor::scalar(static_cast<real>(optimizer_.steps())));
  return tensors;
}

std::int64_t LipschitzCritic::most_state_bytes() {
  return bytes_of(learned()) + optimizer_.most_bytes() + static_cast<std::int64_t>(sizeof(real));
}

void LipschitzCritic::restore(const ot::NamedTensors& state, bool made) {
  copy_tensors(state, learned());
  if (!made) return;
  const Tensor steps = Tensor::scalar(0);
  copy_tensors(state, {{steps_made, steps}});
  optimizer_.restore(state, ot::whole_number(steps_made, steps.item()));
}

}  // namespace apps
