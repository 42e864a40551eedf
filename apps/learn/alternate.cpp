#include "apps/learn/alternate.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "apps/checkpoint.h"
#include "apps/generators.h"
#include "apps/learn/rate_schedule.h"
#include "apps/learn/rows.h"
#include "engine/error.h"
#include "engine/tape.h"

namespace apps {

using engine::require;
using engine::Tensor;
using engine::Var;

namespace {

/// The tensor that counts the warm-up's steps.
constexpr const char* warmup_steps = "dual.warmup.steps";
/// That which counts those of an inner loop that has paused.
constexpr const char* inner_steps = "dual.inner.steps";
/// So many points tell the statistics of a batch norm within a few percent.
constexpr std::int64_t settling_points = 1000;

}  // namespace

Alternate::Alternate(const TrainOptions& options, LatentLaw law, models::Generator& generator,
                     std::unique_ptr<Objective> objective, std::unique_ptr<models::Generator> mean,
                     const CostSpace* space)
    : options_(options),
      generator_(generator),
      space_(space),
      optimizer_(options, options.lr, generator.parameters()),
      objective_(std::move(objective)),
      law_(std::move(law)),
      inner_batch_(options.dual_batch > 0 ? options.dual_batch : options.batch) {
  require(space || generator.output_size() == objective_->dimension(), "the generator makes points of dimension ",
          generator.output_size(), ", the data have ", objective_->dimension());
  if (!law_.shares.empty()) {
    inner_rows_ = classes_by_share(law_.shares, inner_batch_);
    batch_ = classes_by_share(law_.shares, options.batch);
  }
  if (options.average > 0) average_.emplace(generator, std::move(mean), options.average);
  shared_ = shares_rows();
}

Var Alternate::generated(const Tensor& z) {
  return space_ ? (*space_)(generator_(z)) : generator_(z);
}

Tensor Alternate::latent_batch(Draw purpose, std::int64_t n, std::int64_t k) const {
  const bool inner = purpose != Draw::generator_batch;
  if (!law_.shares.empty()) return latents(law_, options_.seed, purpose, n, k, inner ? inner_rows_ : batch_);
  return latents(law_, options_.seed, purpose, n, k, inner ? inner_batch_ : options_.batch);
}

bool Alternate::shares_rows() {
  if (objective_->ranks().size() == 1 || !generator_.rows_apart()) return false;
  const engine::NoGrad theta_is_fixed;
  const Rows here = objective_->rows_here(inner_batch_);
  const Tensor z = latent_batch(Draw::dual_batch, 0, 0), all = generated(z).value();
  const bool same =
      here.begin == here.end || std::ranges::equal(generated(rows(z, here)).value().values(), rows(all, here).values());
  return !objective_->ranks().any(!same);
}

std::vector<Tensor> Alternate::inner_batches(std::int64_t n, std::int64_t first, std::int64_t last) {
  const engine::NoGrad theta_is_fixed;
  std::vector<Tensor> batches;
  for (std::int64_t k = first; k < last; ++k) batches.push_back(latent_batch(Draw::dual_batch, n, k));
  if (objective_->of_latents()) return batches;
  const Rows here = shared_ ? objective_->rows_here(inner_batch_) : Rows{0, inner_batch_};
  const std::int64_t size = here.end - here.begin, d = objective_->dimension();
  if (size == inner_batch_ && batches.size() == 1) return {generated(batches.front()).value()};
  Tensor z({(last - first) * size, batches.front().dim(1)}), x;
  engine::real* to = z.data();
  for (const Tensor& batch : batches) to = std::ranges::copy(rows(batch, here).values(), to).out;
  if (size > 0) x = generated(z).value();
  for (std::int64_t b = 0; b < last - first; ++b) {
    Tensor& batch = batches[static_cast<std::size_t>(b)];
    if (size == inner_batch_) {
      batch = rows(x, {b * size, (b + 1) * size});
      continue;
    }
    batch = Tensor::zeros({inner_batch_, d});
    if (size > 0) std::copy_n(x.data() + b * size * d, size * d, batch.data() + here.begin * d);
    objective_->complete(batch);
  }
  return batches;
}

void Alternate::warm_up() {
  assert(warming_up());
  if (warmup_ == 0) objective_->begin(0);
  const engine::NoGrad theta_is_fixed;
  const Tensor z = latent_batch(Draw::warmup_batch, warmup_, 0);
  objective_->step(objective_->of_latents() ? z : generated(z).value(), Draw::warmup_points, warmup_, 0);
  if (++warmup_ == options_.dual_warmup) objective_->finish();
}

double Alternate::iterate(double progress) {
  return *iterate(progress, [] { return true; });
}

std::optional<double> Alternate::iterate(double progress, const std::function<bool()>& go_on) {
  assert(!warming_up());
  // Approximate psi_n ~ argmax H(., theta): K steps (102) from psi_{n-1}, on the batches B_{n,1}, ..., B_{n,K}. Several
  // of them are made together where they may be: larger products are faster.
  constexpr std::int64_t most_coordinates = 1 << 21;
  const std::int64_t of_batch = inner_batch_ * objective_->dimension(), steps = objective_->steps(n_);
  const std::int64_t together = generator_.rows_apart() ? std::max<std::int64_t>(most_coordinates / of_batch, 1) : 1;
  objective_->begin(progress);
  bool settled = false;
  // A loop that has paused makes the same batches together again: in products of fewer rows they may round otherwise.
  for (std::int64_t first = paused_ - paused_ % together; first < steps && !settled; first += together) {
    std::int64_t k = first;
    for (const Tensor& x : inner_batches(n_, first, std::min(steps, first + together))) {
      if (k++ < paused_) continue;
      objective_->step(x, Draw::dual_points, n_, k - 1);
      if ((settled = objective_->settled())) break;
      if (k == steps || !objective_->can_pause() || go_on()) continue;
      paused_ = k;
      objective_->finish();
      return {};
    }
  }
  paused_ = 0;
  objective_->finish();

  // Update theta by one step along the gradient (104) of H(psi_n, .), or (77), on the batch B'_n.
  engine::Tape tape;
  std::vector<Var> theta;
  for (Var* parameter : optimizer_.parameters()) {
    tape.watch(*parameter);
    theta.push_back(*parameter);
  }
  const std::optional<Objective::InnerStep> replayed = objective_->replayed(n_);
  const Tensor z =
      replayed ? latent_batch(Draw::dual_batch, replayed->n, replayed->k) : latent_batch(Draw::generator_batch, n_, 0);
  const Var value = objective_->loss(generated(z), z, n_);
  const double h = value.value().item();
  if (std::isfinite(h)) {
    optimizer_.set_rate(options_.lr * share_of_rate(options_.lr_schedule, progress, 1e-3));
    optimizer_.step(tape.gradient(value, theta));
    if (average_) average_->update(n_);
  }
  ++n_;
  return h;
}

models::Generator& Alternate::sampled() {
  if (!average_) return generator_;
  return average_->settled(latents(law_, options_.seed, Draw::settling, 0, 0, settling_points));
}

ot::NamedTensors Alternate::generators() {
  ot::NamedTensors tensors = tensors_of(sampled());
  if (average_)
    for (auto& [name, tensor] : tensors_of(generator_)) tensors.emplace_back("trained." + name, tensor);
  return tensors;
}

ot::NamedTensors Alternate::state() {
  ot::NamedTensors tensors;
  for (ot::NamedTensors part : {generators(), objective_->learned(), optimizer_.moments(), objective_->moments()})
    for (auto& named : part) tensors.push_back(std::move(named));
  if (options_.dual_warmup > 0) tensors.emplace_back(warmup_steps, Tensor::scalar(static_cast<engine::real>(warmup_)));
  if (paused_ > 0) tensors.emplace_back(inner_steps, Tensor::scalar(static_cast<engine::real>(paused_)));
  return tensors;
}

std::int64_t Alternate::most_state_bytes() {
  const std::int64_t counts = (options_.dual_warmup > 0 ? 1 : 0) + (objective_->can_pause() ? 1 : 0);
  return bytes_of(generators()) + optimizer_.most_bytes() + objective_->most_state_bytes() +
         counts * static_cast<std::int64_t>(sizeof(engine::real));
}

void Alternate::restore(const ot::NamedTensors& state, std::int64_t iterations) {
  copy_tensors(state, generators());
  n_ = iterations;
  if (options_.dual_warmup > 0) {
    const Tensor steps = Tensor::scalar(0);
    copy_tensors(state, {{warmup_steps, steps}});
    warmup_ = ot::whole_number(warmup_steps, steps.item());
  }
  paused_ = 0;
  if (std::ranges::find(state, inner_steps, &ot::NamedTensors::value_type::first) != state.end()) {
    paused_ = ot::whole_number(inner_steps, ot::find(state, inner_steps, {}).item());
    require(objective_->can_pause() && paused_ > 0 && paused_ < objective_->steps(n_), "tensor ", inner_steps,
            " tells of ", paused_, " steps, where an inner loop can't have paused");
  }
  objective_->restore(state, iterations > 0 || warmup_ > 0 || paused_ > 0);
  optimizer_.restore(state, iterations);
}

}  // namespace apps
