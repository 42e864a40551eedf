#pragma once

#include <memory>
#include <span>

#include "ot/named_tensors.h"
#include "ot/potential.h"
#include "ot/transformer.h"

namespace ot {

enum class DualOptimizer { asgd, adam };

/// How a potential is moved up H.
struct DualOptions {
  DualOptimizer optimizer = DualOptimizer::asgd;
  double rate = 5;     ///< gamma in (102), or Adam's rate
  double decay = 0.5;  ///< alpha in (102): step k of an inner loop has length rate / k^decay; Adam ignores it
  bool average =
      true;  ///< whether an inner loop ends at the mean of its iterates, (102), or at the last; Adam ignores it
};

/// Stochastic ascent of psi -> H(psi, theta), the inner loop of Algorithm 1: begin(), step() on K independent batches,
/// finish().
class DualSolver {
 public:
  virtual ~DualSolver() = default;

  /// Takes another rate from the next step on.
  virtual void set_rate(double rate) = 0;

  /// Starts an inner loop at the potential's present values, with a Transformer::restart(); ASGD counts its steps from
  /// 1 again.
  virtual void begin() = 0;
  /// One ascent step along the gradient of H (101) on the batch x [B, d].
  virtual void step(const engine::Tensor& x) = 0;
  /// The same on H to the points of a subset alone. Of what Potential::parts() names, only these elements move, and
  /// only their moments.
  virtual void step(const engine::Tensor& x, const Subset& subset) = 0;
  /// Ends the inner loop: where averaging is on, the potential becomes the mean of the iterates.
  virtual void finish() = 0;

  /// What the optimizer must remember from one inner loop to the next to continue with the same bits, beside the
  /// potential's parameters: nothing for ASGD; Adam's `dual.adam.first.0`, `dual.adam.second.0`, ... in the order of
  /// the parameters, the second [1] where their elements are alike, and `dual.adam.steps`. Meaningful between finish()
  /// and begin().
  virtual NamedTensors state() const { return {}; }
  /// Takes back such a state; other names are ignored. Throws Error where a tensor is missing or has another shape.
  virtual void restore(const NamedTensors& state) { (void)state; }
};

/// The solver for these options. At lambda = 0 with uniform weights, ASGD on a VectorPotential takes the sparse way,
/// whose steps touch at most B entries of psi. The transformer and the potential must outlive the solver. Throws Error
/// for a rate that is not positive and finite and a decay outside [0, 1].
std::unique_ptr<DualSolver> make_dual_solver(Transformer& transform, Potential& potential, double lambda,
                                             const DualOptions& options);

}  // namespace ot
