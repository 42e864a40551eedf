#pragma once

#include <memory>

#include "apps/learn/critic_objective.h"

namespace apps {

/// f^c(x_i) = min_j c_ij - f_j of costs c [B, M], constant, and f [M] -> [B].
engine::Var batch_c_transform(const engine::Tensor& c, const engine::Var& f);

/// mean xi^2 over all pairs, xi_ij = c_ij - f_j - g_i for c [B, M], constant, f [M] and g [B] -> scalar.
engine::Var equality_penalty(const engine::Tensor& c, const engine::Var& f, const engine::Var& g);
/// mean min(xi, 0)^2, likewise.
engine::Var inequality_penalty(const engine::Tensor& c, const engine::Var& f, const engine::Var& g);

/// --method mallasto (Mallasto, Frellsen, Boomsma and Feragen, "(q, p)-Wasserstein GANs", 2019). A critic f of the data
/// and its c-transform over a batch of them, f^c(x) = min_j c(x, y_j) - f(y_j), with --search-space both also over the
/// batch of generated points, x included. f ascends, on a batch of each,
///
///   mean f(y) + mean f^c(x) - r1 mean xi^2 - r2 mean min(xi', 0)^2,   xi = c(x, y) - f(y) - f^c(x),
///
/// with r1 = --equality-penalty over all pairs, r2 = --inequality-penalty over those of x with other points of the
/// data, since xi is at least 0 where f^c is a minimum. The generator lowers mean f(y) + mean f^c(x): H at lambda = 0
/// where the batch is all of the data. --cost cityblock or euclidean, or power, is the authors' q and p.
class BatchCTransform : public CriticObjective {
 public:
  /// As CriticObjective.
  BatchCTransform(const TrainOptions& options, const ot::Target& target, std::unique_ptr<models::Critic> f);

  void step(const engine::Tensor& x, Draw points, std::int64_t n, std::int64_t k) override;
  engine::Var loss(const engine::Var& x, const engine::Tensor& z, std::int64_t n) override;

 private:
  /// What f^c is a minimum over for batches x and y: y, or both.
  engine::Var searched(const engine::Var& x, const engine::Tensor& y) const;
};

}  // namespace apps
