#pragma once

#include <functional>
#include <vector>

#include "engine/tape.h"
#include "ot/subset.h"
#include "ot/target.h"

namespace ot {

/// A dual potential psi on the points of a target, given by parameters: what solvers see. Defined up to a constant.
class Potential {
 public:
  virtual ~Potential() = default;

  /// psi_j, [J]. The memory may be the parameters' own: use it before they change.
  virtual engine::Tensor values() const = 0;
  /// What a solver moves. The pointers stay valid as long as the potential.
  virtual std::vector<engine::Var*> parameters() = 0;
  /// The gradients in each parameter of a function of values() whose gradient in them is `gradient` [J].
  virtual std::vector<engine::Var> pull_back(const engine::Tensor& gradient) = 0;

  /// The same at the points of a subset alone, [M].
  virtual engine::Tensor values(const Subset& subset) const = 0;
  virtual std::vector<engine::Var> pull_back(const engine::Tensor& gradient, const Subset& subset) = 0;
};

/// A value for each point: SDOT. Starts at 0.
class VectorPotential : public Potential {
 public:
  explicit VectorPotential(const Target& target) : psi_(engine::Tensor::zeros({target.size()})) {}

  engine::Tensor values() const override { return psi_.value(); }
  std::vector<engine::Var*> parameters() override { return {&psi_}; }
  std::vector<engine::Var> pull_back(const engine::Tensor& gradient) override { return {gradient}; }
  engine::Tensor values(const Subset& subset) const override { return subset.gather(psi_.value()); }
  /// 0 outside the subset.
  std::vector<engine::Var> pull_back(const engine::Tensor& gradient, const Subset& subset) override;

 private:
  engine::Var psi_;
};

/// A function of y, [n, d] -> [n] or [n, 1], with its parameters: SDOTNN, (105). It is evaluated on a few points at a
/// time, and once more for the gradient, so that memory does not grow with J beyond the values themselves.
class NetworkPotential : public Potential {
 public:
  /// The target and the parameters must outlive the potential. Throws Error without parameters.
  NetworkPotential(const Target& target, std::function<engine::Var(const engine::Var&)> function,
                   std::vector<engine::Var*> parameters);

  /// Throws Error when the function does not return one value a point.
  engine::Tensor values() const override { return values(target_); }
  std::vector<engine::Var*> parameters() override { return parameters_; }
  std::vector<engine::Var> pull_back(const engine::Tensor& gradient) override { return pull_back(gradient, target_); }
  engine::Tensor values(const Subset& subset) const override { return values(subset.target); }
  std::vector<engine::Var> pull_back(const engine::Tensor& gradient, const Subset& subset) override {
    return pull_back(gradient, subset.target);
  }

 private:
  engine::Tensor values(const Target& target) const;
  std::vector<engine::Var> pull_back(const engine::Tensor& gradient, const Target& target);
  engine::Var evaluate(const Target& target, std::int64_t begin, std::int64_t end) const;

  const Target& target_;
  std::function<engine::Var(const engine::Var&)> function_;
  std::vector<engine::Var*> parameters_;
};

}  // namespace ot
