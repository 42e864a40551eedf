#pragma once

#include <cstdint>
#include <memory>

#include "apps/learn/critic_objective.h"
#include "apps/options.h"
#include "models/critic.h"
#include "ot/target.h"

namespace apps {

/// --method liu-features, EOTGAN (Liu et al., "Entropy-regularized optimal transport generative models", 2018):
/// entropic transport between batches of features f(x), which are learned to tell the data from what is generated. With
/// W(f, g) the mean cost <p, c> of the entropic plan p, held fixed, between the rows of f and of g,
///
///   f lowers max(W(f(y), f(y')) - W(f(y), f(x)) + margin, 0), y and y' independent batches of the data;
///   the generator lowers W(f(y), f(x)).
///
/// Costs are --cost between features, times --cost-scale one or half.
class LearnedFeatures : public CriticObjective {
 public:
  /// The target, of which only the points play a part, must outlive it. Throws Error for --cost-scale alpha, and where
  /// the optimizer refuses a rate or a beta.
  LearnedFeatures(const TrainOptions& options, const ot::Target& target, std::unique_ptr<models::Critic> f);

  void step(const engine::Tensor& x, Draw points, std::int64_t n, std::int64_t k) override;
  engine::Var loss(const engine::Var& x, const engine::Tensor& z, std::int64_t n) override;

  /// What f lowers, at a batch of the generator and two of the data -> scalar.
  engine::Var triplet_loss(const engine::Var& x, const engine::Var& y, const engine::Var& other);

 private:
  /// W between features.
  engine::Var transport(const engine::Var& f, const engine::Var& g) const;

  ot::Cost cost_;
};

}  // namespace apps
