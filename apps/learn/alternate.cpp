#include "apps/learn/alternate.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "apps/checkpoint.h"
#include "apps/generators.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/shape.h"
#include "engine/parallel.h"
#include "engine/tape.h"
#include "ot/semidual.h"
#include "ot/sinkhorn/self_transport.h"

namespace apps {

using engine::require;
using engine::Tensor;
using engine::Var;

namespace {

/// The tensor that counts the warm-up's steps.
constexpr const char* warmup_steps = "dual.warmup.steps";
/// What a schedule leaves of a rate; `least` at the end, above 0, which Adam refuses.
double share_of_rate(const std::string& schedule, double progress, double least) {
  if (schedule == "constant") return 1;
  return least + (1 - least) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

/// So many points of the data tell W_lambda(nu, nu) in about a second.
constexpr std::int64_t most_self_transport = 2048;
/// So many points tell the statistics of a batch norm within a few percent.
constexpr std::int64_t settling_points = 1000;

/// These rows of x [B, d].
Tensor rows(const Tensor& x, const Rows& which) {
  const std::int64_t count = which.end - which.begin, d = x.dim(1);
  if (count == x.dim(0)) return x;
  return {{count, d},
          x.values().subspan(static_cast<std::size_t>(which.begin * d), static_cast<std::size_t>(count * d))};
}

/// The tensors whose names begin so, under what follows.
ot::NamedTensors under(const std::string& prefix, const ot::NamedTensors& tensors) {
  ot::NamedTensors found;
  for (const auto& [name, tensor] : tensors)
    if (name.starts_with(prefix)) found.emplace_back(name.substr(prefix.size()), tensor);
  return found;
}

}  // namespace

Alternate::Alternate(const TrainOptions& options, const ot::Target& target, models::Generator& generator,
                     std::unique_ptr<models::Generator> mean, const CostSpace* space, const PointsOfClasses& classes)
    : options_(options),
      target_(target),
      generator_(generator),
      space_(space),
      adam_(options.lr),
      duals_(class_duals(options, target, classes)),
      law_(latent_law(options)) {
  require(space || generator.output_size() == target.dimension(), "the generator makes points of dimension ",
          generator.output_size(), ", the data have ", target.dimension());
  if (!classes.empty()) {
    law_.shares = shares_of(target.weights(), classes);
    dual_batch_ = classes_by_share(law_.shares, duals_.back()->of_dual_batch.end);
    batch_ = classes_by_share(law_.shares, options.batch);
  }
  for (const models::Parameter& parameter : generator.parameters()) theta_.push_back(parameter.variable);
  if (options.average > 0) average_.emplace(generator, std::move(mean), options.average);
  if (options.loss == "sinkhorn-divergence")
    for (const auto& one : duals_)
      one->W_nu_nu = ot::self_transport(one->target, options.lambda, most_self_transport, options.seed);
}

Var Alternate::generated(const Tensor& z) {
  return space_ ? (*space_)(generator_(z)) : generator_(z);
}

Tensor Alternate::latent_batch(Draw purpose, std::int64_t n, std::int64_t k) const {
  const bool for_psi = purpose != Draw::generator_batch;
  if (!law_.shares.empty()) return latents(law_, options_.seed, purpose, n, k, for_psi ? dual_batch_ : batch_);
  const ClassDual& all = *duals_.front();
  return latents(law_, options_.seed, purpose, n, k, for_psi ? all.of_dual_batch.end : all.of_batch.end);
}

ot::Subset Alternate::point_batch(const ClassDual& of, Draw purpose, std::int64_t n, std::int64_t k) const {
  return {of.target, of.points_of_a_step, random_draws(options_.seed, purpose, n, k)};
}

std::vector<Tensor> Alternate::dual_batches(std::int64_t n, std::int64_t first, std::int64_t last) {
  const engine::NoGrad theta_is_fixed;
  std::vector<Tensor> batches;
  for (std::int64_t k = first; k < last; ++k) batches.push_back(latent_batch(Draw::dual_batch, n, k));
  if (batches.size() == 1) return {generated(batches.front()).value()};
  const std::int64_t size = batches.front().dim(0), latent = batches.front().dim(1);
  Tensor z({(last - first) * size, latent});
  engine::real* to = z.data();
  for (const Tensor& batch : batches) to = std::ranges::copy(batch.values(), to).out;
  const Tensor x = generated(z).value();
  for (std::int64_t b = 0; b < last - first; ++b)
    batches[static_cast<std::size_t>(b)] = rows(x, {b * size, (b + 1) * size});
  return batches;
}

void Alternate::step_psi(const Tensor& x, Draw points, std::int64_t n, std::int64_t k) {
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

void Alternate::warm_up() {
  assert(warming_up());
  if (warmup_ == 0)
    for (const auto& one : duals_) one->dual.solver->begin();
  const engine::NoGrad theta_is_fixed;
  step_psi(generated(latent_batch(Draw::warmup_batch, warmup_, 0)).value(), Draw::warmup_points, warmup_, 0);
  if (++warmup_ == options_.dual_warmup)
    for (const auto& one : duals_) one->dual.solver->finish();
}

Var Alternate::H(ClassDual& of, const Var& x) {
  if (options_.target_batch == 0) return ot::semidual(of.dual.transform, x, of.dual.psi->values(), options_.lambda);
  const ot::Subset points = point_batch(of, Draw::generator_points, n_, 0);
  return ot::semidual(points.target, x, of.dual.psi->values(points), options_.lambda);
}

Var Alternate::loss(ClassDual& of, const Var& x) {
  if (options_.loss == "transport") return H(of, x);
  return H(of, x) - 0.5 * (ot::self_transport(of.target, x, options_.lambda) + of.W_nu_nu);
}

Var Alternate::loss(const Var& x) {
  if (law_.shares.empty()) return loss(*duals_.front(), x);
  std::vector<Var> parts;
  for (const auto& one : duals_)
    parts.push_back(one->share * loss(*one, engine::slice(x, 0, one->of_batch.begin, one->of_batch.end)));
  return std::accumulate(parts.begin() + 1, parts.end(), parts.front());
}

double Alternate::iterate(double progress) {
  assert(!warming_up());
  // Approximate psi_n ~ argmax H(., theta): K steps (102) from psi_{n-1}, on the batches B_{n,1}, ..., B_{n,K}. Several
  // of them are made together where they may be: larger products are faster.
  constexpr std::int64_t most_coordinates = 1 << 21;
  const std::int64_t of_batch = duals_.back()->of_dual_batch.end * duals_.back()->target.dimension();
  const std::int64_t together = generator_.rows_apart() ? std::max<std::int64_t>(most_coordinates / of_batch, 1) : 1;
  for (const auto& one : duals_) {
    one->dual.solver->set_rate(options_.dual_lr * share_of_rate(options_.dual_schedule, progress, 0.05));
    one->dual.solver->begin();
  }
  for (std::int64_t first = 0; first < options_.inner; first += together) {
    std::int64_t k = first;
    for (const Tensor& x : dual_batches(n_, first, std::min(options_.inner, first + together)))
      step_psi(x, Draw::dual_points, n_, k++);
  }
  for (const auto& one : duals_) one->dual.solver->finish();

  // Update theta by one step of Adam along the gradient (104) of H(psi_n, .), or (77), on the batch B'_n.
  engine::Tape tape;
  for (Var* parameter : theta_) tape.watch(*parameter);
  const Var x = generated(latent_batch(Draw::generator_batch, n_, 0));
  const Var value = loss(x);
  std::vector<Var> theta;
  for (const Var* parameter : theta_) theta.push_back(*parameter);
  adam_.rate() = options_.lr * share_of_rate(options_.lr_schedule, progress, 1e-3);
  adam_.step(theta_, tape.gradient(value, theta));
  if (average_) average_->update(n_);

  ++n_;
  return value.value().item();
}

models::Generator& Alternate::sampled() {
  if (!average_) return generator_;
  return average_->settled(latents(law_, options_.seed, Draw::settling, 0, 0, settling_points));
}

Tensor Alternate::psi() const {
  if (law_.shares.empty()) return duals_.front()->dual.psi->values();
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

ot::Transformer::Counts Alternate::ways() const {
  ot::Transformer::Counts all;
  for (const auto& one : duals_) {
    const ot::Transformer::Counts& some = one->dual.transform.ways();
    all.search += some.search, all.digits += some.digits, all.dense += some.dense;
  }
  return all;
}

ot::NamedTensors Alternate::generators() {
  ot::NamedTensors tensors = tensors_of(sampled());
  if (average_)
    for (auto& [name, tensor] : tensors_of(generator_)) tensors.emplace_back("trained." + name, tensor);
  for (const auto& one : duals_)
    if (const auto& network = one->dual.network)
      for (const models::Parameter& p : network->parameters())
        tensors.emplace_back(one->prefix + p.name, p.variable->value());
  return tensors;
}

ot::NamedTensors Alternate::moments() {
  ot::NamedTensors tensors;
  const engine::Adam::State& adam = adam_.state();
  const std::vector<models::Parameter> parameters = generator_.parameters();
  for (std::size_t i = 0; i < adam.first.size(); ++i) {
    tensors.emplace_back("adam.first." + parameters[i].name, adam.first[i]);
    tensors.emplace_back("adam.second." + parameters[i].name, adam.second[i]);
  }
  return tensors;
}

ot::NamedTensors Alternate::state() {
  ot::NamedTensors tensors = generators();
  const auto add = [&](const std::string& prefix, ot::NamedTensors more) {
    for (auto& [name, tensor] : more) tensors.emplace_back(prefix + name, std::move(tensor));
  };
  for (const auto& one : duals_) add(one->prefix, one->dual.psi->state());
  add("", moments());
  for (const auto& one : duals_) add(one->prefix, one->dual.solver->state());
  if (options_.dual_warmup > 0) tensors.emplace_back(warmup_steps, Tensor::scalar(static_cast<engine::real>(warmup_)));
  return tensors;
}

std::int64_t Alternate::most_state_bytes() {
  std::int64_t bytes = bytes_of(state());
  const auto add_moments = [&](std::span<Var* const> parameters) {
    for (const Var* p : parameters) bytes += 2 * p->size() * static_cast<std::int64_t>(sizeof(engine::real));
  };
  if (adam_.state().first.empty()) add_moments(theta_);
  // Before its first step Adam has a count of steps alone.
  for (const auto& one : duals_)
    if (options_.dual_optimizer == "adam" && one->dual.solver->state().size() <= 1)
      add_moments(one->dual.psi->parameters());
  return bytes;
}

void Alternate::restore(const ot::NamedTensors& state, std::int64_t iterations) {
  copy_tensors(state, generators());
  for (const auto& one : duals_) one->dual.psi->restore(under(one->prefix, state));
  n_ = iterations;
  if (options_.dual_warmup > 0) {
    const Tensor steps = Tensor::scalar(0);
    copy_tensors(state, {{warmup_steps, steps}});
    warmup_ = ot::whole_number(warmup_steps, steps.item());
  }
  if (iterations > 0 || warmup_ > 0)
    for (const auto& one : duals_) one->dual.solver->restore(under(one->prefix, state));
  if (iterations == 0) return;  // Adam has made no step on theta

  engine::Adam::State& adam = adam_.state();
  adam = {};
  for (const Var* parameter : theta_) {
    adam.first.push_back(Tensor::zeros(parameter->shape()));
    adam.second.push_back(Tensor::zeros(parameter->shape()));
  }
  adam.steps = iterations;
  copy_tensors(state, moments());
}

}  // namespace apps
