#pragma once

#include <memory>
#include <optional>

#include "apps/learn/critic_objective.h"
#include "apps/learn/data_gaussian.h"

namespace apps {

/// What keeps a plan's density h = d pi / d(mu nu) small, and so the dual free of constraints: lambda times the mean of
/// h log h - h + 1, or of h^2.
enum class DensityPenalty { entropy, l2 };

/// The dual of transport between batches, u [B] at the points of one and v [M] at those of the other, c [B, M] constant
/// -> scalar: mean u_i + mean v_j less, over all pairs, lambda (mean exp((u_i + v_j - c_ij) / lambda) - 1) (entropy) or
/// mean (u_i + v_j - c_ij)_+^2 / (4 lambda) (l2). (Seguy et al., eq. 5 and 6.) Beyond max(B, M), which no
/// density is where one side has its marginal, the exponential goes on as its tangent: that leaves the maximum as it
/// is, and a step too far is no infinity.
engine::Var dual_of_potentials(const engine::Var& u, const engine::Var& v, const engine::Tensor& c,
                               DensityPenalty penalty, double lambda);

/// The density of the plan there, [B, M]: exp((u_i + v_j - c_ij) / lambda), at most max(B, M), or
/// (u_i + v_j - c_ij)_+ / (2 lambda).
engine::Tensor plan_density(const engine::Tensor& u, const engine::Tensor& v, const engine::Tensor& c,
                            DensityPenalty penalty, double lambda);

/// The plan on the pairs, [B, M]: the density over B M; with `rows`, each row scaled to the mass 1 / B that the source
/// has there, which for entropy is in the log domain and depends on v alone. A row that has no mass then keeps none.
engine::Tensor plan_of_potentials(const engine::Tensor& u, const engine::Tensor& v, const engine::Tensor& c,
                                  DensityPenalty penalty, double lambda, bool rows);

/// Two potentials as networks, u of generated points and v of the data, which ascend dual_of_potentials() on all pairs
/// of a batch of each, of which there are B^2. By --generator-gradient the generator's points x follow
/// - potential: -grad u(x); the loss is the dual's value;
/// - plan: the plan's pull, sum_j pi_ij grad c(x_i, y_j), the potentials held fixed; the loss is sum pi c;
/// - rows: the same with the plan's rows scaled to their mass;
/// - barycentric: latent points, brought to the mean and covariance of the data, are the source s of u and of the plan,
///   and g(z_i) moves to where it sends s_i: the loss is sum pi_ij c(g(z_i), y_j).
///
/// --method seguy (Seguy et al., "Large-scale optimal transport and mapping estimation", 2018): both penalties, and
/// barycentric, by which the authors generate. --method sanjabi (Sanjabi et al., "On the convergence and robustness of
/// training GANs with regularized optimal transport", 2018): entropy, and plan.
class TwoPotentials : public CriticObjective {
 public:
  /// As CriticObjective. Throws Error for `barycentric` unless latent points are standard normal, with as many
  /// coordinates as the points have where their cost is taken.
  TwoPotentials(const TrainOptions& options, const ot::Target& target, std::unique_ptr<models::Critic> u,
                std::unique_ptr<models::Critic> v);

  bool of_latents() const override { return source_.has_value(); }
  void step(const engine::Tensor& x, Draw points, std::int64_t n, std::int64_t k) override;
  engine::Var loss(const engine::Var& x, const engine::Tensor& z, std::int64_t n) override;

 private:
  engine::Var u(const engine::Var& x) { return critic(0)(x); }
  engine::Var v(const engine::Var& y) { return critic(1)(y); }
  /// u's points, of what the inner loop is given.
  engine::Tensor source(const engine::Tensor& x) const { return source_ ? (*source_)(x) : x; }

  DensityPenalty penalty_;
  std::optional<DataGaussian> source_;  // barycentric
};

}  // namespace apps
