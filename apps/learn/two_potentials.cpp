#include "apps/learn/two_potentials.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "apps/resources.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/ops/shape.h"
#include "ot/plan/pair_costs.h"

namespace apps {

using engine::Tensor;
using engine::Var;

namespace {

/// u_i + v_j - c_ij
Var slack(const Var& u, const Var& v, const Tensor& c) {
  return reshape(u, {u.size(), 1}) + reshape(v, {1, v.size()}) - c;
}

/// (u_i + v_j - c_ij) / lambda up to the largest log density of a plan with one marginal right, and what is beyond.
std::pair<Var, Var> log_density(const Var& u, const Var& v, const Tensor& c, double lambda) {
  const Var t = slack(u, v, c) * (1 / lambda);
  const double most = std::log(static_cast<double>(std::max(c.dim(0), c.dim(1))));
  return {-relu(-t + most) + most, relu(t - most)};
}

}  // namespace

Var dual_of_potentials(const Var& u, const Var& v, const Tensor& c, DensityPenalty penalty, double lambda) {
  const Var value = mean(u) + mean(v);
  if (penalty == DensityPenalty::l2) {
    const Var positive = relu(slack(u, v, c));
    return value - mean(positive * positive) * (1 / (4 * lambda));
  }
  const auto [within, beyond] = log_density(u, v, c, lambda);
  return value - lambda * (mean(exp(within) * (beyond + 1)) - 1);
}

Tensor plan_density(const Tensor& u, const Tensor& v, const Tensor& c, DensityPenalty penalty, double lambda) {
  if (penalty == DensityPenalty::l2) return (relu(slack(u, v, c)) * (1 / (2 * lambda))).value();
  return exp(log_density(u, v, c, lambda).first).value();
}

Tensor plan_of_potentials(const Tensor& u, const Tensor& v, const Tensor& c, DensityPenalty penalty, double lambda,
                          bool rows) {
  const double row = 1 / static_cast<double>(c.dim(0));
  if (rows && penalty == DensityPenalty::entropy) {
    const Var t = (reshape(Var(v), {1, v.size()}) - c) * (1 / lambda);
    return (row * exp(t - logsumexp(t, 1, true))).value();
  }
  const Tensor density = plan_density(u, v, c, penalty, lambda);
  if (!rows) return (density * (row / static_cast<double>(c.dim(1)))).value();
  Tensor mass = sum(density, {1}, true).value();
  for (engine::real& value : mass.values())
    if (value == 0) value = 1;
  return (row * (Var(density) / mass)).value();
}

TwoPotentials::TwoPotentials(const TrainOptions& options, const ot::Target& target, std::unique_ptr<models::Critic> u,
                             std::unique_ptr<models::Critic> v)
    : CriticObjective(options, target, critics_of(std::move(u), std::move(v))),
      penalty_(options.regularization == "l2" ? DensityPenalty::l2 : DensityPenalty::entropy) {
  if (options.generator_gradient != "barycentric") return;
  engine::require(options.latent == "normal" && options.latent_scale == 1 && options.latent_dim == target.dimension(),
                  "--generator-gradient barycentric has latent points for the source: take --latent normal, "
                  "--latent-scale 1 and --latent-dim ",
                  target.dimension(), ", the coordinates of a point");
  const auto d = static_cast<double>(target.dimension());
  require_memory(32 * d * d, engine::text("the covariance of points of dimension ", target.dimension()),
                 "take --generator-gradient rows");
  source_.emplace(target);
}

void TwoPotentials::step(const Tensor& x, Draw points, std::int64_t n, std::int64_t k) {
  const Tensor s = source(x), y = data(s.dim(0), points, n, k), c = ot::pair_costs(target_, s, y).value();
  descend([&](engine::Tape&) { return -dual_of_potentials(u(s), v(y), c, penalty_, options_.lambda); });
}

Var TwoPotentials::loss(const Var& x, const Tensor& z, std::int64_t n) {
  const Tensor y = data(x.dim(0), Draw::generator_points, n, 0), of_y = v(y).value();
  if (options_.generator_gradient == "potential") {
    const Var of_x = u(x);
    const Var dual = dual_of_potentials(of_x.value(), of_y, ot::pair_costs(target_, x.value(), y).value(), penalty_,
                                        options_.lambda);
    return mean(of_x) + (dual - mean(of_x.value()));
  }
  const Tensor s = source_ ? (*source_)(z) : x.value();
  const Tensor plan = plan_of_potentials(u(s).value(), of_y, ot::pair_costs(target_, s, y).value(), penalty_,
                                         options_.lambda, options_.generator_gradient == "rows");
  return sum(plan * ot::pair_costs(target_, x, y));
}

}  // namespace apps
