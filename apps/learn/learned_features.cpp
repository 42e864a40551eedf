#include "apps/learn/learned_features.h"

#include <utility>
#include <vector>

#include "apps/checkpoint.h"
#include "apps/costs.h"
#include "apps/learn/rate_schedule.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "ot/plan/pair_costs.h"
#include "ot/sinkhorn/batch_transport.h"

namespace apps {

using engine::real;
using engine::Tensor;
using engine::Var;

namespace {
/// The tensor that counts the steps of f.
constexpr const char* steps_made = "critic.steps";
}  // namespace

LearnedFeatures::LearnedFeatures(const TrainOptions& options, const ot::Target& target,
                                 std::unique_ptr<models::Critic> f)
    : options_(options),
      target_(target),
      cost_(make_cost(options.cost, options.cost_power, options.cost_scale)),
      draws_(target),
      f_(std::move(f)),
      optimizer_(options, options.dual_lr, f_->parameters()) {
  engine::require(options.cost_scale != "alpha",
                  "--cost-scale alpha is a mean over the data, and the features of --method liu-features change: take "
                  "one or half");
}

Var LearnedFeatures::transport(const Var& f, const Var& g) const {
  const double scale = cost_.scale == ot::CostScale::half ? 0.5 : 1;
  return ot::batch_transport(ot::pair_costs(f, g, scale, cost_.ground), {.lambda = options_.lambda, .sharp = true});
}

void LearnedFeatures::begin(double progress) {
  optimizer_.set_rate(options_.dual_lr * share_of_rate(options_.dual_schedule, progress, 0.05));
}

Var LearnedFeatures::triplet_loss(const Var& x, const Var& y, const Var& other) {
  const Var features = (*f_)(y);
  return relu(transport(features, (*f_)(other)) - transport(features, (*f_)(x)) + options_.margin);
}

void LearnedFeatures::step(const Tensor& x, Draw points, std::int64_t n, std::int64_t k) {
  const auto data = [&](std::int64_t draw) { return draws_(x.dim(0), random_draws(options_.seed, points, n, draw)); };
  const Tensor y = data(2 * k), other = data(2 * k + 1);
  engine::Tape tape;
  std::vector<Var> parameters;
  for (Var* p : optimizer_.parameters()) {
    tape.watch(*p);
    parameters.push_back(*p);
  }
  optimizer_.step(tape.gradient(triplet_loss(x, y, other), parameters));
}

Var LearnedFeatures::loss(const Var& x, const Tensor&, std::int64_t n) {
  const Tensor y = draws_(x.dim(0), random_draws(options_.seed, Draw::generator_points, n, 0));
  return transport((*f_)(y), (*f_)(x));
}

ot::NamedTensors LearnedFeatures::learned() {
  ot::NamedTensors tensors;
  for (const models::Parameter& p : f_->parameters()) tensors.emplace_back(p.name, p.variable->value());
  return tensors;
}

ot::NamedTensors LearnedFeatures::moments() {
  ot::NamedTensors tensors = optimizer_.moments();
  tensors.emplace_back(steps_made, Tensor::scalar(static_cast<real>(optimizer_.steps())));
  return tensors;
}

std::int64_t LearnedFeatures::most_state_bytes() {
  return bytes_of(learned()) + optimizer_.most_bytes() + static_cast<std::int64_t>(sizeof(real));
}

void LearnedFeatures::restore(const ot::NamedTensors& state, bool made) {
  copy_tensors(state, learned());
  if (!made) return;
  const Tensor steps = Tensor::scalar(0);
  copy_tensors(state, {{steps_made, steps}});
  optimizer_.restore(state, ot::whole_number(steps_made, steps.item()));
}

}  // namespace apps
