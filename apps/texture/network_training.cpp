#include "apps/texture/network_training.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace apps {

using engine::Var;

namespace {

constexpr double first_rate = 0.003, last_share = 0.01;

std::int64_t multiple_within(std::int64_t size, int scales) {
  return std::max(size / halved_from(scales), std::int64_t{1}) * halved_from(scales);
}

}  // namespace

NetworkTraining::NetworkTraining(const engine::Tensor& exemplar, int scales, const PatchOptions& options)
    : seed_(options.seed),
      height_(multiple_within(exemplar.dim(2), scales)),
      width_(multiple_within(exemplar.dim(3), scales)),
      loss_(exemplar, scales, options),
      network_(exemplar.dim(1), scales, options.seed),
      adam_(first_rate) {
  for (const models::Parameter& parameter : network_.parameters()) parameters_.push_back(parameter.variable);
}

double NetworkTraining::step(double done) {
  engine::Tape tape;
  std::vector<Var> theta;
  for (Var* parameter : parameters_) {
    tape.watch(*parameter);
    theta.push_back(*parameter);
  }
  network_.train(true);
  const Var loss = loss_(network_(height_, width_, seed_, ++steps_));
  adam_.rate() = first_rate * std::max(last_share, (1 + std::cos(std::numbers::pi * done)) / 2);
  adam_.step(parameters_, tape.gradient(loss, theta));
  return loss.value().item();
}

}  // namespace apps
