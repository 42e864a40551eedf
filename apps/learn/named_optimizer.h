#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "apps/options.h"
#include "engine/optimizer.h"
#include "engine/tape.h"
#include "models/layers.h"
#include "ot/named_tensors.h"

namespace apps {

/// What --optimizer, --adam-beta1 and --adam-beta2 move a network by, with a state under its parameters' names.
class NamedOptimizer {
 public:
  /// The parameters' variables must outlive it. Throws Error where the optimizer refuses the rate or a beta.
  NamedOptimizer(const TrainOptions& options, double rate, std::vector<models::Parameter> parameters);

  std::span<engine::Var* const> parameters() const { return variables_; }
  void set_rate(double rate);
  /// One step along -gradients, in the order of the parameters.
  void step(std::span<const engine::Var> gradients);

  /// For each parameter once a step was made, Adam's `adam.first.NAME` and `adam.second.NAME` or RMSProp's
  /// `rmsprop.mean_square.NAME`. They share the memory in use.
  ot::NamedTensors moments();
  /// The bytes of moments() once a step was made.
  std::int64_t most_bytes() const;
  std::int64_t steps() const { return steps_; }
  /// Takes back the moments after so many steps. Throws Error naming one that is missing or has another shape.
  void restore(const ot::NamedTensors& state, std::int64_t steps);

 private:
  std::vector<models::Parameter> parameters_;
  std::vector<engine::Var*> variables_;
  std::variant<engine::Adam, engine::RmsProp> optimizer_;
  std::int64_t steps_ = 0;
};

}  // namespace apps
