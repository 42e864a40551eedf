#include "apps/learn/semidual_objective.h"

#include <numeric>
#include <string>
#include <utility>

#include "apps/checkpoint.h"
#include "apps/learn/rate_schedule.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/shape.h"
#include "engine/parallel.h"
#include "ot/semidual.h"
#include "ot/sinkhorn/self_transport.h"

namespace apps {

using engine::Tensor;
using engine::Var;

namespace {

/// So many points of the data tell W_lambda(nu, nu) in about a second.
constexpr std::int64_t most_self_transport = 2048;

/// The tensors whose names begin so, under what follows.
ot::NamedTensors under(const std::string& prefix, const ot::NamedTensors& tensors) {
  ot::NamedTensors found;
  for (const auto& [name, tensor] : tensors)
    if (name.starts_with(prefix)) found.emplace_back(name.substr(prefix.size()), tensor);
  return found;
}

void add_under(const std::string& prefix, ot::NamedTensors more, ot::NamedTensors& tensors) {
  for (auto& [name, tensor] : more) tensors.emplace_back(prefix + name, std::move(tensor));
}

}  // namespace

SemidualObjective::SemidualObjective(const TrainOptions& options, const ot::Target& target,
                                     const PointsOfClasses& classes)
    : options_(options), target_(target), duals_(class_duals(options, target, classes)) {
  if (options.loss == "sinkhorn-divergence")
    for (const auto& one : duals_)
      one->W_nu_nu = ot::self_transport(one->target, options.lambda, most_self_transport, options.seed);
}

void SemidualObjective::begin(double progress) {
  for (const auto& one : duals_) {
    one->dual.solver->set_rate(options_.dual_lr * share_of_rate(options_.dual_schedule, progress, 0.05));
    one->dual.solver->begin();
  }
}

void SemidualObjective::step(const Tensor& x, Draw points, std::int64_t n, std::int64_t k) {
  // Classes have nothing in common, and each is too small for all threads.
  engine::parallel_for(std::ssize(duals_), 1, [&](std::int64_t d, std::int64_t) {
    const engine::NoGrad theta_is_fixed;
    const ClassDual& one = *duals_[static_cast<std::size_t>(d)];
    const Tensor its = rows(x, one.of_dual_batch);
    if (options_.target_batch == 0)
      one.dual.solver->step(its);
    else
      one.dual.solver->step(its, point_batch(one, points, n, k));
  });
}

void SemidualObjective::finish() {
  for (const auto& one : duals_) one->dual.solver->finish();
}

ot::Subset SemidualObjective::point_batch(const ClassDual& of, Draw purpose, std::int64_t n, std::int64_t k) const {
  return {of.target, of.points_of_a_step, random_draws(options_.seed, purpose, n, k)};
}

Var SemidualObjective::H(ClassDual& of, const Var& x, std::int64_t n) {
  if (options_.target_batch == 0) return ot::semidual(of.dual.transform, x, of.dual.psi->values(), options_.lambda);
  const ot::Subset points = point_batch(of, Draw::generator_points, n, 0);
  return ot::semidual(points.target, x, of.dual.psi->values(points), options_.lambda);
}

Var SemidualObjective::loss(ClassDual& of, const Var& x, std::int64_t n) {
  if (options_.loss == "transport") return H(of, x, n);
  return H(of, x, n) - 0.5 * (ot::self_transport(of.target, x, options_.lambda) + of.W_nu_nu);
}

Var SemidualObjective::loss(const Var& x, const Tensor&, std::int64_t n) {
  if (!duals_.front()->points) return loss(*duals_.front(), x, n);
  std::vector<Var> parts;
  for (const auto& one : duals_)
    parts.push_back(one->share * loss(*one, engine::slice(x, 0, one->of_batch.begin, one->of_batch.end), n));
  return std::accumulate(parts.begin() + 1, parts.end(), parts.front());
}

ot::NamedTensors SemidualObjective::network_parameters() const {
  ot::NamedTensors tensors;
  for (const auto& one : duals_)
    if (const auto& network = one->dual.network)
      for (const models::Parameter& p : network->parameters())
        tensors.emplace_back(one->prefix + p.name, p.variable->value());
  return tensors;
}

ot::NamedTensors SemidualObjective::learned() {
  ot::NamedTensors tensors = network_parameters();
  for (const auto& one : duals_) add_under(one->prefix, one->dual.psi->state(), tensors);
  return tensors;
}

ot::NamedTensors SemidualObjective::moments() {
  ot::NamedTensors tensors;
  for (const auto& one : duals_) add_under(one->prefix, one->dual.solver->state(), tensors);
  return tensors;
}

std::int64_t SemidualObjective::most_state_bytes() {
  std::int64_t bytes = bytes_of(learned()) + bytes_of(moments());
  // Before its first step Adam has a count of steps alone.
  for (const auto& one : duals_)
    if (options_.dual_optimizer == "adam" && one->dual.solver->state().size() <= 1)
      for (const Var* p : one->dual.psi->parameters())
        bytes += 2 * p->size() * static_cast<std::int64_t>(sizeof(engine::real));
  return bytes;
}

void SemidualObjective::restore(const ot::NamedTensors& state, bool made) {
  copy_tensors(state, network_parameters());
  for (const auto& one : duals_) {
    const ot::NamedTensors its = under(one->prefix, state);
    one->dual.psi->restore(its);
    if (made) one->dual.solver->restore(its);
  }
}

std::optional<Tensor> SemidualObjective::psi() const {
  if (!duals_.front()->points) return duals_.front()->dual.psi->values();
  Tensor all = Tensor::zeros({target_.size()});
  for (const auto& one : duals_) {
    Tensor values = one->dual.psi->values().clone();
    double mean = 0;
    for (const engine::real value : values.values()) mean += value / static_cast<double>(values.size());
    for (engine::real& value : values.values()) value -= static_cast<engine::real>(mean);
    one->points->scatter(values, all);
  }
  return all;
}

ot::Transformer::Counts SemidualObjective::ways() const {
  ot::Transformer::Counts all;
  for (const auto& one : duals_) {
    const ot::Transformer::Counts& some = one->dual.transform.ways();
    all.search += some.search, all.digits += some.digits, all.dense += some.dense;
  }
  return all;
}

}  // namespace apps
