#include "apps/learn/semidual_objective.h"

#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "apps/checkpoint.h"
#include "apps/learn/gathered_tensors.h"
#include "apps/learn/rate_schedule.h"
#include "engine/ops/elementwise.h"
#include "engine/parallel.h"
#include "engine/simd/kernels.h"
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
                                     const PointsOfClasses& classes, const engine::Cluster& ranks)
    : options_(options),
      target_(target),
      classes_(classes.size()),
      ranks_(ranks),
      duals_(class_duals(options, target, classes, ranks)) {
  if (options.loss == "sinkhorn-divergence")
    for (const auto& one : duals_)
      one->W_nu_nu = ot::self_transport(one->target, options.lambda, most_self_transport, options.seed);
}

Rows SemidualObjective::rows_here(std::int64_t batch) const {
  if (classes_ > 0)
    return duals_.empty() ? Rows() : Rows{duals_.front()->of_dual_batch.begin, duals_.back()->of_dual_batch.end};
  return {batch * ranks_.rank() / ranks_.size(), batch * (ranks_.rank() + 1) / ranks_.size()};
}

void SemidualObjective::complete(Tensor& x) const {
  if (classes_ == 0) ranks_.unite(x.values());
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
  return classes_ > 0 ? loss_of_classes(x, n) : loss(*duals_.front(), x, n);
}

Var SemidualObjective::loss_of_classes(const Var& x, std::int64_t n) {
  const bool differentiated = x.on_tape();
  std::vector<double> parts(classes_);
  Tensor gradient = differentiated ? Tensor::zeros(x.shape()) : Tensor();
  for (const auto& one : duals_) {
    engine::Tape tape;
    Var its = rows(x.value(), one->of_batch);
    if (differentiated) tape.watch(its);
    const Var part = loss(*one, its, n);
    parts[static_cast<std::size_t>(one->number)] = one->share * part.value().item();
    if (!differentiated) continue;
    const Tensor in_its_rows = tape.gradient(part, {its}).front().value();
    engine::simd::kernels().scale(in_its_rows.size(), static_cast<engine::real>(one->share), in_its_rows.data(),
                                  gradient.data() + one->of_batch.begin * x.dim(1));
  }
  ranks_.unite(std::span(parts));
  const double sum = std::accumulate(parts.begin(), parts.end(), 0.0);
  Var result = engine::recorded(Tensor::scalar(static_cast<engine::real>(sum)), x);
  if (!differentiated) return result;
  ranks_.unite(gradient.values());
  result.pull_back(x, [gradient, x](const Var& upstream) {
    return mul(upstream, engine::differentiable_once("loss of classes", gradient, x));
  });
  return result;
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
  ot::NamedTensors tensors = of_all(network_parameters()), states;
  for (const auto& one : duals_) add_under(one->prefix, one->dual.psi->state(), states);
  add_under("", of_all(states), tensors);
  return tensors;
}

ot::NamedTensors SemidualObjective::moments() {
  ot::NamedTensors tensors;
  for (const auto& one : duals_) add_under(one->prefix, one->dual.solver->state(), tensors);
  return of_all(tensors);
}

ot::NamedTensors SemidualObjective::of_all(const ot::NamedTensors& own) const {
  return classes_ > 0 ? gathered(own, ranks_) : own;
}

std::int64_t SemidualObjective::most_state_bytes() {
  const std::int64_t now = bytes_of(learned()) + bytes_of(moments());
  std::int64_t bytes = 0;
  // Before its first step Adam has a count of steps alone.
  for (const auto& one : duals_)
    if (options_.dual_optimizer == "adam" && one->dual.solver->state().size() <= 1)
      for (const Var* p : one->dual.psi->parameters())
        bytes += 2 * p->size() * static_cast<std::int64_t>(sizeof(engine::real));
  if (classes_ == 0 && duals_.front()->dual.network) return now + bytes;  // all ranks have the same
  const std::vector<std::int64_t> of_ranks = ranks_.gather(std::span<const std::int64_t>(&bytes, 1));
  return std::accumulate(of_ranks.begin(), of_ranks.end(), now);
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
  if (classes_ == 0) return target_.of_rank().gathered(duals_.front()->dual.psi->values());
  Tensor all = Tensor::zeros({target_.size()});
  for (const auto& one : duals_) {
    Tensor values = one->dual.psi->values().clone();
    double mean = 0;
    for (const engine::real value : values.values()) mean += value / static_cast<double>(values.size());
    for (engine::real& value : values.values()) value -= static_cast<engine::real>(mean);
    one->points->scatter(values, all);
  }
  ranks_.unite(all.values());
  return all;
}

ot::Transformer::Counts SemidualObjective::ways() const {
  ot::Transformer::Counts all;
  for (const auto& one : duals_) all += one->dual.transform.ways();
  return all;
}

}  // namespace apps
