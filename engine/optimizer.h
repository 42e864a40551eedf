#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/cluster/cluster.h"
#include "engine/tape.h"

namespace engine {

// An optimizer keeps its state beside the parameters it was made for, zero at the first step; step() changes the
// parameters' memory in place along the gradients, given in the same order. All throw Error for a rate that is not
// positive and finite, for other constants outside their range, and for gradients or a state that do not match the
// parameters; nothing has changed then. `state()` is what a checkpoint must hold to continue with the same bits.

/// v <- momentum v + g; p <- p - rate v.
class Sgd {
 public:
  explicit Sgd(double rate, double momentum = 0);
  void step(std::span<Var* const> parameters, std::span<const Var> gradients);

  struct State {
    std::vector<Tensor> velocity;  ///< v, in the order of the parameters
  };
  State& state() { return state_; }
  double& rate() { return rate_; }

 private:
  double rate_, momentum_;
  State state_;
};

/// Adam (Kingma & Ba, 2015, algorithm 1): m and v are running means of g and g^2, corrected for their start at zero;
/// p <- p - rate m / (sqrt(v) + epsilon).
class Adam {
 public:
  /// Whose g^2 the v of an element is: its own, or the mean over its parameter's elements, as in Adam-mini (Zhang et
  /// al., 2025). The first moves each element by the rate, however small its gradient; the second keeps the gradient's
  /// direction within a parameter, for elements that are alike.
  enum class Squares { own, mean };

  /// With `ranks` the elements of the first parameter are shared by them, a multiple of 512 to each but the last, and
  /// its mean is over those of all; what else there is they have alike.
  explicit Adam(double rate, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8,
                Squares squares = Squares::own, const Cluster& ranks = {});
  void step(std::span<Var* const> parameters, std::span<const Var> gradients);

  struct State {
    std::vector<Tensor> first, second;  ///< m and v before their correction, in the order of the parameters; v [1] of
                                        ///< means
    std::int64_t steps = 0;
  };
  State& state() { return state_; }
  const State& state() const { return state_; }
  double& rate() { return rate_; }

 private:
  double rate_, beta1_, beta2_, epsilon_;
  Squares squares_;
  Cluster ranks_;
  State state_;
};

/// v <- decay v + (1 - decay) g^2; p <- p - rate g / (sqrt(v) + epsilon), PyTorch's RMSprop.
class RmsProp {
 public:
  explicit RmsProp(double rate, double decay = 0.99, double epsilon = 1e-8);
  void step(std::span<Var* const> parameters, std::span<const Var> gradients);

  struct State {
    std::vector<Tensor> mean_square;  ///< v, in the order of the parameters
  };
  State& state() { return state_; }
  double& rate() { return rate_; }

 private:
  double rate_, decay_, epsilon_;
  State state_;
};

/// Averaged stochastic gradient descent, equation (102) with the sign of a descent: p~_k = p~_{k-1} - rate / k^decay g,
/// and the average p_k = (p~_1 + ... + p~_k) / k. The parameters hold p~ while the loop runs; average() puts p_k in
/// their place (before the first step it leaves them alone), and restart() begins again at k = 1.
class Asgd {
 public:
  Asgd(double rate, double decay);
  void step(std::span<Var* const> parameters, std::span<const Var> gradients);
  void average(std::span<Var* const> parameters);
  void restart() { state_.steps = 0; }

  struct State {
    std::vector<Tensor> mean;  ///< p_k, in the order of the parameters
    std::int64_t steps = 0;    ///< k
  };
  State& state() { return state_; }
  double& rate() { return rate_; }

 private:
  double rate_, decay_;
  State state_;
};

}  // namespace engine
