#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensor.h"
#include "ot/restricted/restricted_potential.h"

namespace ot {

/// Averaged stochastic ascent (102) of each layer of a RestrictedPotential: of the semi-dual between the x that come to
/// a node and its children. On a batch of B, of which b come to node p, each child i of p rises by
///
///     rate / k^decay (1/B) (b nu(i) / nu(p) - the number of these b that are sent to i),
///
/// k the number of steps in which some came to p, its own count. An inner loop ends at the mean of each node's k
/// iterates.
class RestrictedAscent {
 public:
  /// The potential must outlive it. Throws Error for a rate that is not positive and finite and a decay outside [0, 1].
  RestrictedAscent(RestrictedPotential& potential, double rate, double decay);

  void set_rate(double rate);
  /// Starts an inner loop at the potential's present values, with all counts at 0.
  void begin();
  /// A row of x that is NaN moves nothing.
  void step(const engine::Tensor& x);
  /// Ends it: the potential becomes the mean of the iterates.
  void finish();

 private:
  struct Layer {
    std::vector<std::int64_t> steps;  // k, of each parent
    engine::Tensor mean;              // of the iterates; meaningless before the first step
  };
  /// A step of one parent's children, to which so many of the batch were sent.
  void move(std::int64_t layer, std::int64_t parent, const std::vector<std::int64_t>& hits, double batch);

  RestrictedPotential& potential_;
  double rate_, decay_;
  std::vector<Layer> layers_;
};

}  // namespace ot
