#include "apps/learn/alternate.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <utility>

#include "apps/checkpoint.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"
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

}  // namespace

Alternate::Alternate(const TrainOptions& options, const ot::Target& target, models::Generator& generator,
                     std::unique_ptr<models::Generator> mean, const CostSpace* space)
    : options_(options),
      target_(target),
      generator_(generator),
      space_(space),
      adam_(options.lr),
      dual_(options, target) {
  require(space || generator.output_size() == target.dimension(), "the generator makes points of dimension ",
          generator.output_size(), ", the data have ", target.dimension());
  const auto weights = target.weights();
  const auto support = std::count_if(weights.begin(), weights.end(), [](double weight) { return weight > 0; });
  require(options.target_batch <= support, "--target-batch must be at most the number of points that weigh something, ",
          support, ": ", options.target_batch);
  for (const models::Parameter& parameter : generator.parameters()) theta_.push_back(parameter.variable);
  if (options.average > 0) average_.emplace(generator, std::move(mean), options.average);
  if (options.loss == "sinkhorn-divergence")
    W_nu_nu_ = ot::self_transport(target, options.lambda, most_self_transport, options.seed);
}

Var Alternate::generated(const Tensor& z) {
  return space_ ? (*space_)(generator_(z)) : generator_(z);
}

Tensor Alternate::latent_batch(Draw purpose, std::int64_t n, std::int64_t k) const {
  const bool for_psi = purpose != Draw::generator_batch;
  return latents(latent_law(options_), options_.seed, purpose, n, k, for_psi ? dual_batch_size() : options_.batch);
}

ot::Subset Alternate::point_batch(Draw purpose, std::int64_t n, std::int64_t k) const {
  return {target_, options_.target_batch, random_draws(options_.seed, purpose, n, k)};
}

std::vector<Tensor> Alternate::dual_batches(std::int64_t n, std::int64_t first, std::int64_t last) {
  const engine::NoGrad theta_is_fixed;
  std::vector<Tensor> batches;
  for (std::int64_t k = first; k < last; ++k) batches.push_back(latent_batch(Draw::dual_batch, n, k));
  if (batches.size() == 1) return {generated(batches.front()).value()};
  const std::int64_t size = batches.front().dim(0), latent = batches.front().dim(1), d = target_.dimension();
  Tensor z({(last - first) * size, latent});
  engine::real* rows = z.data();
  for (const Tensor& batch : batches) rows = std::ranges::copy(batch.values(), rows).out;
  const Tensor x = generated(z).value();
  for (std::size_t b = 0; b < batches.size(); ++b)
    batches[b] = Tensor({size, d},
                        x.values().subspan(b * static_cast<std::size_t>(size * d), static_cast<std::size_t>(size * d)));
  return batches;
}

void Alternate::step_psi(const Tensor& x, Draw points, std::int64_t n, std::int64_t k) {
  const engine::NoGrad theta_is_fixed;
  if (options_.target_batch == 0)
    dual_.solver->step(x);
  else
    dual_.solver->step(x, point_batch(points, n, k));
}

void Alternate::warm_up() {
  assert(warming_up());
  if (warmup_ == 0) dual_.solver->begin();
  const engine::NoGrad theta_is_fixed;
  step_psi(generated(latent_batch(Draw::warmup_batch, warmup_, 0)).value(), Draw::warmup_points, warmup_, 0);
  if (++warmup_ == options_.dual_warmup) dual_.solver->finish();
}

Var Alternate::H(const Var& x) {
  if (options_.target_batch == 0) return ot::semidual(dual_.transform, x, dual_.psi->values(), options_.lambda);
  const ot::Subset points = point_batch(Draw::generator_points, n_, 0);
  return ot::semidual(points.target, x, dual_.psi->values(points), options_.lambda);
}

Var Alternate::loss(const Var& x) {
  if (options_.loss == "transport") return H(x);
  return H(x) - 0.5 * (ot::self_transport(target_, x, options_.lambda) + W_nu_nu_);
}

double Alternate::iterate(double progress) {
  assert(!warming_up());
  // Approximate psi_n ~ argmax H(., theta): K steps (102) from psi_{n-1}, on the batches B_{n,1}, ..., B_{n,K}. Several
  // of them are made together where they may be: larger products are faster.
  constexpr std::int64_t most_coordinates = 1 << 21;
  const std::int64_t of_batch = dual_batch_size() * target_.dimension();
  const std::int64_t together = generator_.rows_apart() ? std::max<std::int64_t>(most_coordinates / of_batch, 1) : 1;
  dual_.solver->set_rate(options_.dual_lr * share_of_rate(options_.dual_schedule, progress, 0.05));
  dual_.solver->begin();
  for (std::int64_t first = 0; first < options_.inner; first += together) {
    std::int64_t k = first;
    for (const Tensor& x : dual_batches(n_, first, std::min(options_.inner, first + together)))
      step_psi(x, Draw::dual_points, n_, k++);
  }
  dual_.solver->finish();

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
  LatentLaw law = latent_law(options_);
  return average_->settled(latents(law, options_.seed, Draw::settling, 0, 0, settling_points));
}

ot::NamedTensors Alternate::generators() {
  ot::NamedTensors tensors = tensors_of(sampled());
  if (average_)
    for (auto& [name, tensor] : tensors_of(generator_)) tensors.emplace_back("trained." + name, tensor);
  if (dual_.network)
    for (const models::Parameter& p : dual_.network->parameters()) tensors.emplace_back(p.name, p.variable->value());
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
  for (const ot::NamedTensors& more : {dual_.psi->state(), moments(), dual_.solver->state()})
    tensors.insert(tensors.end(), more.begin(), more.end());
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
  if (options_.dual_optimizer == "adam" && dual_.solver->state().size() <= 1) add_moments(dual_.psi->parameters());
  return bytes;
}

void Alternate::restore(const ot::NamedTensors& state, std::int64_t iterations) {
  copy_tensors(state, generators());
  dual_.psi->restore(state);
  n_ = iterations;
  if (options_.dual_warmup > 0) {
    const Tensor steps = Tensor::scalar(0);
    copy_tensors(state, {{warmup_steps, steps}});
    warmup_ = ot::whole_number(warmup_steps, steps.item());
  }
  if (iterations > 0 || warmup_ > 0) dual_.solver->restore(state);
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
