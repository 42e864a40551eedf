#include "apps/learn/ots_fit.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include "apps/checkpoint.h"
#include "apps/learn/rate_schedule.h"
#include "engine/error.h"
#include "ot/assigned_cost.h"

namespace apps {

using engine::real;
using engine::Tensor;
using engine::Var;

namespace {

constexpr std::int64_t between_tests = 1000, most_groups = 1000, hits_of_group = 256, most_points = 1 << 24;
constexpr const char *steps_of_round = "hits.steps", *steps_of_psi = "psi.steps";

/// psi is moved by Adam as it is, whatever moves the generator.
TrainOptions by_adam(TrainOptions options) {
  const TrainOptions plain;
  options.optimizer = "adam";
  options.adam_beta1 = plain.adam_beta1;
  options.adam_beta2 = plain.adam_beta2;
  return options;
}

Tensor scalar(std::int64_t value) {
  return Tensor::scalar(static_cast<real>(value));
}

std::int64_t read_steps(const ot::NamedTensors& state, const std::string& name) {
  return ot::whole_number(name, ot::find(state, name, {}).item());
}

}  // namespace

OtsFit::OtsFit(const TrainOptions& options, const ot::Target& target)
    : options_(options),
      target_(target),
      transform_(target),
      psi_(Tensor::zeros({target.size()})),
      optimizer_(by_adam(options), options.dual_lr, {{"psi", &psi_}}),
      hits_(Tensor::full({options.replay, options.batch}, -1)) {
  engine::require(target.size() < most_points, "--method chen takes less than ", most_points,
                  " points: ", target.size(), "; take fewer --points");
}

bool OtsFit::settled() const {
  if (fitted_ < options_.replay || fitted_ % std::min(between_tests, options_.replay) != 0) return false;
  const std::int64_t enough = std::max<std::int64_t>(hits_.size() / hits_of_group, 2);
  const std::int64_t groups = std::min({most_groups, target_.size(), enough});
  const auto group_of = [&](std::int64_t j) { return static_cast<std::size_t>(j * groups / target_.size()); };
  std::vector<double> hits(static_cast<std::size_t>(groups)), expected(hits.size());
  for (std::int64_t j = 0; j < target_.size(); ++j)
    expected[group_of(j)] += target_.weights()[static_cast<std::size_t>(j)] * static_cast<double>(hits_.size());
  for (const real hit : hits_.values())
    if (hit >= 0) ++hits[group_of(static_cast<std::int64_t>(hit))];
  for (std::size_t group = 0; group < hits.size(); ++group)
    if (!(std::abs(hits[group] - expected[group]) <= options_.settle * expected[group])) return false;
  return true;
}

void OtsFit::begin(double progress) {
  optimizer_.set_rate(options_.dual_lr * share_of_rate(options_.dual_schedule, progress, 0.05));
  transform_.restart();
}

/// psi falls from step to step, where it would lose its last digits.
void OtsFit::take_mean_away() {
  double sum = 0;
  for (const real value : psi_.value().values()) sum += value;
  const auto mean = static_cast<real>(sum / static_cast<double>(psi_.size()));
  for (real& value : psi_.value().values()) value -= mean;
}

void OtsFit::step(const Tensor& x, Draw points, std::int64_t, std::int64_t k) {
  const bool of_round = points != Draw::warmup_points;
  if (of_round && k == 0) take_mean_away();
  const ot::CTransform transform = transform_(x, psi_.value(), 0);
  Tensor descent = Tensor::zeros({target_.size()});
  if (!target_.uniform())
    std::ranges::transform(target_.weights(), descent.data(), [](double weight) { return static_cast<real>(-weight); });
  const real share = real{1} / static_cast<real>(x.dim(0));
  for (const std::int64_t winner : transform.winners)
    if (winner >= 0) descent.data()[winner] += share;
  optimizer_.step(std::vector<Var>{descent});
  if (!of_round) return;
  std::ranges::transform(transform.winners, hits_.data() + k % options_.replay * options_.batch,
                         [](std::int64_t winner) { return static_cast<real>(winner); });
  fitted_ = k + 1;
}

std::int64_t OtsFit::step_of(std::int64_t n) const {
  return fitted_ - options_.replay + n % options_.replay;
}

std::optional<Objective::InnerStep> OtsFit::replayed(std::int64_t n) const {
  engine::require(fitted_ >= options_.replay, "tensor ", steps_of_round, " tells of ", fitted_,
                  " steps, fewer than the ", options_.replay, " of --replay");
  return InnerStep{n - n % options_.replay, step_of(n)};
}

Var OtsFit::loss(const Var& x, const Tensor&, std::int64_t n) {
  std::vector<std::int64_t> hits(static_cast<std::size_t>(options_.batch));
  const real* kept = hits_.data() + step_of(n) % options_.replay * options_.batch;
  std::ranges::transform(kept, kept + options_.batch, hits.begin(),
                         [](real hit) { return static_cast<std::int64_t>(hit); });
  return ot::assigned_cost(target_, x, hits);
}

ot::NamedTensors OtsFit::learned() {
  return {{"psi", psi_.value()}, {"hits", hits_}, {steps_of_round, scalar(fitted_)}};
}

ot::NamedTensors OtsFit::moments() {
  ot::NamedTensors tensors = optimizer_.moments();
  tensors.emplace_back(steps_of_psi, scalar(optimizer_.steps()));
  return tensors;
}

std::int64_t OtsFit::most_state_bytes() {
  return bytes_of(learned()) + optimizer_.most_bytes() + static_cast<std::int64_t>(sizeof(real));
}

void OtsFit::restore(const ot::NamedTensors& state, bool made) {
  copy_tensors(state, {{"psi", psi_.value()}, {"hits", hits_}});
  for (const real hit : hits_.values())
    engine::require(hit >= -1 && hit < static_cast<real>(target_.size()) && hit == std::floor(hit),
                    "tensor hits numbers a point that is none of the ", target_.size(), ": ", hit);
  fitted_ = read_steps(state, steps_of_round);
  if (made) optimizer_.restore(state, read_steps(state, steps_of_psi));
}

}  // namespace apps
