#include "apps/learn/named_optimizer.h"

#include <cstddef>
#include <utility>

#include "apps/checkpoint.h"

namespace apps {

using engine::Adam;
using engine::RmsProp;
using engine::Tensor;

namespace {

std::variant<Adam, RmsProp> optimizer_of(const TrainOptions& options, double rate) {
  if (options.optimizer == "rmsprop") return RmsProp(rate);
  return Adam(rate, options.adam_beta1, options.adam_beta2);
}

}  // namespace

NamedOptimizer::NamedOptimizer(const TrainOptions& options, double rate, std::vector<models::Parameter> parameters)
    : parameters_(std::move(parameters)), optimizer_(optimizer_of(options, rate)) {
  for (const models::Parameter& parameter : parameters_) variables_.push_back(parameter.variable);
}

void NamedOptimizer::set_rate(double rate) {
  std::visit([&](auto& optimizer) { optimizer.rate() = rate; }, optimizer_);
}

void NamedOptimizer::step(std::span<const engine::Var> gradients) {
  std::visit([&](auto& optimizer) { optimizer.step(variables_, gradients); }, optimizer_);
  ++steps_;
}

ot::NamedTensors NamedOptimizer::moments() {
  ot::NamedTensors tensors;
  if (auto* adam = std::get_if<Adam>(&optimizer_)) {
    for (std::size_t i = 0; i < adam->state().first.size(); ++i) {
      tensors.emplace_back("adam.first." + parameters_[i].name, adam->state().first[i]);
      tensors.emplace_back("adam.second." + parameters_[i].name, adam->state().second[i]);
    }
  } else {
    const std::vector<Tensor>& squares = std::get<RmsProp>(optimizer_).state().mean_square;
    for (std::size_t i = 0; i < squares.size(); ++i)
      tensors.emplace_back("rmsprop.mean_square." + parameters_[i].name, squares[i]);
  }
  return tensors;
}

std::int64_t NamedOptimizer::most_bytes() const {
  const std::int64_t moments = std::holds_alternative<Adam>(optimizer_) ? 2 : 1;
  std::int64_t bytes = 0;
  for (const engine::Var* p : variables_)
    bytes += moments * p->size() * static_cast<std::int64_t>(sizeof(engine::real));
  return bytes;
}

void NamedOptimizer::restore(const ot::NamedTensors& state, std::int64_t steps) {
  const auto zeros = [&] {
    std::vector<Tensor> tensors;
    for (const engine::Var* p : variables_) tensors.push_back(steps > 0 ? Tensor::zeros(p->shape()) : Tensor());
    if (steps == 0) tensors.clear();
    return tensors;
  };
  if (auto* adam = std::get_if<Adam>(&optimizer_))
    adam->state() = {zeros(), zeros(), steps};
  else
    std::get<RmsProp>(optimizer_).state() = {zeros()};
  steps_ = steps;
  copy_tensors(state, moments());
}

}  // namespace apps
