#include "apps/alternate.h"

#include <cassert>

#include "apps/checkpoint.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/tape.h"
#include "ot/self_transport.h"
#include "ot/semidual.h"

namespace apps {

using engine::require;
using engine::Tensor;
using engine::Var;

namespace {

/// The tensor that counts the warm-up's steps.
constexpr const char* warmup_steps = "dual.warmup.steps";
/// So many points of the data tell W_lambda(nu, nu) in about a second.
constexpr std::int64_t most_self_transport = 2048;

ot::DualOptions dual_options(const TrainOptions& options) {
  return {options.dual_optimizer == "asgd" ? ot::DualOptimizer::asgd : ot::DualOptimizer::adam, options.dual_lr,
          options.dual_decay, options.dual_average == "on"};
}

}  // namespace

Alternate::Alternate(const TrainOptions& options, const ot::Target& target, models::Generator& generator)
    : options_(options), target_(target), generator_(generator), adam_(options.lr) {
  require(generator.output_size() == target.dimension(), "the generator makes points of dimension ",
          generator.output_size(), ", the data have ", target.dimension());
  for (const models::Parameter& parameter : generator.parameters()) theta_.push_back(parameter.variable);

  if (options.dual == "vector") {
    psi_ = std::make_unique<ot::VectorPotential>(target);
  } else {
    psi_network_ =
        std::make_unique<models::PsiNetwork>(models::PsiNetwork::paper_sizes(target.dimension()), options.seed);
    std::vector<Var*> parameters;
    for (const models::Parameter& parameter : psi_network_->parameters()) parameters.push_back(parameter.variable);
    psi_ = std::make_unique<ot::NetworkPotential>(
        target, [network = psi_network_.get()](const Var& y) { return (*network)(y); }, parameters,
        ot::NetworkPotential::Options{options.dual_memory << 20, options.dual_precision == "bf16"});
  }
  dual_ = ot::make_dual_solver(target, *psi_, options.lambda, dual_options(options));
  if (options.loss == "sinkhorn-divergence")
    W_nu_nu_ = ot::self_transport(target, options.lambda, most_self_transport, options.seed);
}

Tensor Alternate::latent_batch(Draw purpose, std::int64_t n, std::int64_t k) const {
  const bool for_psi = purpose != Draw::generator_batch;
  return latents(options_.seed, purpose, n, k,
                 for_psi && options_.dual_batch > 0 ? options_.dual_batch : options_.batch,
                 generator_.latent_dimension());
}

void Alternate::step_psi(Draw purpose, std::int64_t n, std::int64_t k) {
  const engine::NoGrad theta_is_fixed;
  dual_->step(generator_(latent_batch(purpose, n, k)).value());
}

void Alternate::warm_up() {
  assert(warming_up());
  if (warmup_ == 0) dual_->begin();
  step_psi(Draw::warmup_batch, warmup_, 0);
  if (++warmup_ == options_.dual_warmup) dual_->finish();
}

double Alternate::iterate() {
  assert(!warming_up());
  // Approximate psi_n ~ argmax H(., theta): K steps (102) from psi_{n-1}, on the batches B_{n,1}, ..., B_{n,K}.
  dual_->begin();
  for (std::int64_t k = 0; k < options_.inner; ++k) step_psi(Draw::dual_batch, n_, k);
  dual_->finish();

  // Update theta by one step of Adam along the gradient (104) of H(psi_n, .) or (77), on the batch B'_n.
  engine::Tape tape;
  for (Var* parameter : theta_) tape.watch(*parameter);
  const Var x = generator_(latent_batch(Draw::generator_batch, n_, 0));
  Var loss = ot::semidual(target_, x, psi_->values(), options_.lambda);
  if (options_.loss == "sinkhorn-divergence")  // (73), whose gradient is (77)
    loss = loss - 0.5 * (ot::self_transport(target_, x, options_.lambda) + W_nu_nu_);
  std::vector<Var> theta;
  for (const Var* parameter : theta_) theta.push_back(*parameter);
  adam_.step(theta_, tape.gradient(loss, theta));

  ++n_;
  return loss.value().item();
}

ot::NamedTensors Alternate::networks() {
  ot::NamedTensors tensors = tensors_of(generator_);
  if (psi_network_)
    for (const models::Parameter& p : psi_network_->parameters()) tensors.emplace_back(p.name, p.variable->value());
  else
    tensors.emplace_back("psi", psi_->values());
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
  ot::NamedTensors tensors = networks();
  for (const ot::NamedTensors& more : {moments(), dual_->state()})
    tensors.insert(tensors.end(), more.begin(), more.end());
  if (options_.dual_warmup > 0) tensors.emplace_back(warmup_steps, Tensor::scalar(static_cast<engine::real>(warmup_)));
  return tensors;
}

void Alternate::restore(const ot::NamedTensors& state, std::int64_t iterations) {
  copy_tensors(state, networks());
  n_ = iterations;
  if (options_.dual_warmup > 0) {
    const Tensor steps = Tensor::scalar(0);
    copy_tensors(state, {{warmup_steps, steps}});
    warmup_ = static_cast<std::int64_t>(steps.item());
  }
  if (iterations > 0 || warmup_ > 0) dual_->restore(state);
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
