#include "apps/learn/critic_objective.h"

#include <utility>

#include "apps/checkpoint.h"
#include "apps/learn/rate_schedule.h"

namespace apps {

using engine::real;
using engine::Tensor;
using engine::Var;

namespace {

/// The tensor that counts the critics' steps.
constexpr const char* steps_made = "critic.steps";

std::vector<models::Parameter> parameters_of(const std::vector<std::unique_ptr<models::Critic>>& critics) {
  std::vector<models::Parameter> all;
  for (const auto& critic : critics)
    for (models::Parameter& p : critic->parameters()) all.push_back(std::move(p));
  return all;
}

}  // namespace

CriticObjective::CriticObjective(const TrainOptions& options, const ot::Target& target, Critics critics)
    : options_(options),
      target_(target),
      draws_(target),
      critics_(std::move(critics)),
      optimizer_(options, options.dual_lr, parameters_of(critics_)) {}

void CriticObjective::begin(double progress) {
  optimizer_.set_rate(options_.dual_lr * share_of_rate(options_.dual_schedule, progress, 0.05));
}

Tensor CriticObjective::data(std::int64_t count, Draw purpose, std::int64_t n, std::int64_t k) const {
  return draws_(count, random_draws(options_.seed, purpose, n, k));
}

Draw CriticObjective::beside(Draw points) {
  return points == Draw::warmup_points ? Draw::warmup_places : Draw::dual_places;
}

void CriticObjective::descend(const std::function<Var(engine::Tape&)>& loss) {
  engine::Tape tape;
  std::vector<Var> parameters;
  for (Var* p : optimizer_.parameters()) {
    tape.watch(*p);
    parameters.push_back(*p);
  }
  optimizer_.step(tape.gradient(loss(tape), parameters));
}

ot::NamedTensors CriticObjective::learned() {
  ot::NamedTensors tensors;
  for (const models::Parameter& p : parameters_of(critics_)) tensors.emplace_back(p.name, p.variable->value());
  return tensors;
}

ot::NamedTensors CriticObjective::moments() {
  ot::NamedTensors tensors = optimizer_.moments();
  tensors.emplace_back(steps_made, Tensor::scalar(static_cast<real>(optimizer_.steps())));
  return tensors;
}

std::int64_t CriticObjective::most_state_bytes() {
  return bytes_of(learned()) + optimizer_.most_bytes() + static_cast<std::int64_t>(sizeof(real));
}

void CriticObjective::restore(const ot::NamedTensors& state, bool made) {
  copy_tensors(state, learned());
  if (!made) return;
  const Tensor steps = Tensor::scalar(0);
  copy_tensors(state, {{steps_made, steps}});
  optimizer_.restore(state, ot::whole_number(steps_made, steps.item()));
}

}  // namespace apps
