#pragma once

#include "ot/ascent/dual_solver.h"

namespace ot {

/// ASGD (102) on a VectorPotential at lambda = 0 with uniform weights. The gradient (101) is 1 / J minus a batch's
/// hits: its uniform part moves psi by a constant, which H does not see, so it is left out and a step touches at most B
/// entries. Each then enters the mean over the loop in a known proportion, so that averaging touches at most K B.
/// The potential is that of the dense solver up to a constant.
class SparseAsgd : public DualSolver {
 public:
  /// The transformer and the potential must outlive the solver.
  SparseAsgd(Transformer& transform, VectorPotential& potential, const DualOptions& options);

  void set_rate(double rate) override { options_.rate = rate; }
  void begin() override;
  /// A row of x without a winner (NaN) moves nothing.
  void step(const engine::Tensor& x) override;
  /// The uniform part of the gradient is not the same for all points then, and raises those of the subset.
  void step(const engine::Tensor& x, const Subset& subset) override;
  void finish() override;

 private:
  double next_length();
  void lower(engine::Tensor& psi, std::int64_t point, double amount);

  /// By how much step `step` lowered psi_point.
  struct Move {
    std::int64_t point, step;
    double amount;
  };

  Transformer& transform_;
  VectorPotential& potential_;
  DualOptions options_;
  std::int64_t steps_ = 0;
  std::vector<Move> moves_;
};

}  // namespace ot
