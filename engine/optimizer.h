#pragma once

#include <span>
#include <vector>

#include "engine/tape.h"

namespace engine {

// An optimizer keeps its state beside the parameters it was made for; step() changes them in place along the gradients,
// given in the same order. All throw Error for a step length that is not positive and finite, and for gradients that do
// not match the parameters. `state()` is what a checkpoint must hold to continue with the same bits.

/// v <- momentum v + g; p <- p - rate v.
class Sgd {
 public:
  Sgd(double rate, double momentum = 0);
  void step(std::span<Var* const> parameters, std::span<const Var> gradients);

 private:
  double rate_, momentum_;
  std::vector<Tensor> velocity_;
};

/// Adam (Kingma & Ba, 2015, algorithm 1): m and v are running means of g and g^2, corrected for their start at zero;
/// p <- p - rate m / (sqrt(v) + epsilon). `maximize` turns the descent into an ascent.
class Adam {
 public:
  explicit Adam(double rate, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8);
  void step(std::span<Var* const> parameters, std::span<const Var> gradients);

  /// What a checkpoint holds: first and second moments, in the order of the parameters, and the number of steps.
  struct State {
    std::vector<Tensor> first, second;
    std::int64_t steps = 0;
  };
  State& state() { return state_; }
  const State& state() const { return state_; }
  double& rate() { return rate_; }

 private:
  double rate_, beta1_, beta2_, epsilon_;
  State state_;
};

/// v <- decay v + (1 - decay) g^2; p <- p - rate g / (sqrt(v) + epsilon), PyTorch's RMSprop.
class RmsProp {
 public:
  explicit RmsProp(double rate, double decay = 0.99, double epsilon = 1e-8);
  void step(std::span<Var* const> parameters, std::span<const Var> gradients);

 private:
  double rate_, decay_, epsilon_;
  std::vector<Tensor> mean_square_;
};

/// Averaged stochastic gradient descent, equation (102) with the sign of a descent: p~_k = p~_{k-1} - rate / k^decay g,
/// and the average p_k = (p~_1 + ... + p~_k) / k. The parameters hold p~ while the loop runs; average() puts p_k in
/// their place, and restart() begins again at k = 1.
class Asgd {
 public:
  Asgd(double rate, double decay);
  void step(std::span<Var* const> parameters, std::span<const Var> gradients);
  void average(std::span<Var* const> parameters);
  void restart();

 private:
  double rate_, decay_;
  std::int64_t steps_ = 0;
  std::vector<Tensor> mean_;
};

}  // namespace engine
