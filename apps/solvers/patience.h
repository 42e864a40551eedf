#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "apps/solvers/problem.h"
#include "ot/exact/exact.h"
#include "ot/plan/cost_matrix.h"

namespace apps {

/// What is thrown by costs once the solver is to end.
struct Ended {};

/// Whether to go on: with what makes a result whole for half a second after the observer has said no. May be asked by
/// several threads.
class Patience {
 public:
  explicit Patience(const SolverObserver& observer) : observer_(observer) {}

  bool solve() const { return observer_({}); }
  /// Tells how far exact transport is.
  bool solve(const ot::ExactProgress& progress) const;
  bool finish(const std::string& words = "") const;

 private:
  const SolverObserver& observer_;
  mutable std::atomic<std::chrono::steady_clock::rep> ended_ = 0;  // when that was first seen
};

/// The costs from x to y, in double; they throw Ended where `go_on` says no.
ot::CostMatrix costs_while(const std::function<bool()>& go_on, const ot::PrecisePoints& x, const ot::PrecisePoints& y,
                           const ot::Target& target);

}  // namespace apps
