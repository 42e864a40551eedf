#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "apps/learn/class_dual.h"
#include "apps/learn/classes.h"
#include "apps/learn/objective.h"
#include "apps/options.h"
#include "ot/subset.h"
#include "ot/target.h"

namespace apps {

/// The paper's: H(psi, theta) (98), with psi near its maximum by the steps (102) of a dual solver, or the Sinkhorn
/// divergence (73) with it in place of W_lambda. With classes each is learned from its own points, and the loss is the
/// sum of theirs by their shares in nu.
class SemidualObjective : public Objective {
 public:
  /// Starts at psi_0 = 0 (a network: its initial weights). The target must outlive it. Throws Error where a step length
  /// is refused, and where steps are to see more points than there are, or rows of fewer than each class.
  /// Of `ranks` each learns its part of the classes or, without classes, of the target's points.
  SemidualObjective(const TrainOptions& options, const ot::Target& target, const PointsOfClasses& classes = {},
                    const engine::Cluster& ranks = {});

  std::int64_t dimension() const override { return target_.dimension(); }
  engine::Cluster ranks() const override { return ranks_; }
  /// Those of its classes; without classes a part of them, which all need.
  Rows rows_here(std::int64_t batch) const override;
  void complete(engine::Tensor& x) const override;
  std::int64_t steps(std::int64_t) const override { return options_.inner; }
  void begin(double progress) override;
  void step(const engine::Tensor& x, Draw points, std::int64_t n, std::int64_t k) override;
  void finish() override;
  /// At psi_n, with --target-batch on as many of the points.
  engine::Var loss(const engine::Var& x, const engine::Tensor& z, std::int64_t n) override;

  /// `psi` (a vector) or the network's parameters, of a class under `class.NUMBER.NAME`; so are the moments, a dual
  /// solver's state.
  ot::NamedTensors learned() override;
  ot::NamedTensors moments() override;
  std::int64_t most_state_bytes() override;
  void restore(const ot::NamedTensors& state, bool made) override;

  /// Of classes each about its mean, since each is told but for a constant, and 0 where there is no class.
  std::optional<engine::Tensor> psi() const override;
  ot::Transformer::Counts ways() const override;

 private:
  /// The points that a step sees, with --target-batch.
  ot::Subset point_batch(const ClassDual& of, Draw purpose, std::int64_t n, std::int64_t k) const;
  ot::NamedTensors network_parameters() const;
  /// Of classes what all ranks have of them; without classes each has told what is of all.
  ot::NamedTensors of_all(const ot::NamedTensors& own) const;
  /// H(psi_n, .) to one of the measures on its rows of a batch, and the loss there.
  engine::Var H(ClassDual& of, const engine::Var& x, std::int64_t n);
  engine::Var loss(ClassDual& of, const engine::Var& x, std::int64_t n);
  /// The sum over all ranks' classes.
  engine::Var loss_of_classes(const engine::Var& x, std::int64_t n);

  TrainOptions options_;
  const ot::Target& target_;
  std::size_t classes_;
  engine::Cluster ranks_;
  std::vector<std::unique_ptr<ClassDual>> duals_;
};

}  // namespace apps
