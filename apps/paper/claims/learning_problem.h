#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/tape.h"
#include "models/mlp.h"
#include "ot/plan/cost_matrix.h"
#include "ot/target.h"

namespace apps::claims {

/// The problem (23) on sets so small that W_lambda can be had as accurately as double allows: mu_theta is uniform on
/// x_i = g_theta(z_i), i = 1..n, where g_theta is an MLP and theta the list of all its parameters.
class LearningProblem {
 public:
  /// Random z, and random parameters three times PyTorch's, so that the points spread over the cube. The target must
  /// outlive the problem.
  LearningProblem(const ot::Target& target, std::uint64_t seed, std::int64_t n, std::int64_t latent_dimension,
                  const std::vector<std::int64_t>& hidden_layers);

  const ot::Target& nu;
  std::vector<double> mu() const;  ///< 1/n, ..., 1/n

  /// x = g_theta(z), [n, d], in the build's precision.
  engine::Tensor points();
  /// The gradient of theta -> loss(g_theta(z)), by automatic differentiation.
  std::vector<double> gradient(const std::function<engine::Var(const engine::Var& x)>& loss);

  /// The parameters, one after the other.
  std::vector<double> theta();
  /// x at any theta, [n, d], in double whatever the build's precision; c(x_i, y_j) and c(x_i, x_k) there.
  std::vector<double> points(std::span<const double> theta) const;
  ot::CostMatrix costs_to_nu(std::span<const double> theta) const;
  ot::CostMatrix costs_to_itself(std::span<const double> theta) const;

 private:
  models::MlpOptions options_;
  models::Mlp network_;
  engine::Tensor z_;
};

/// The gradient of f at theta by central differences.
std::vector<double> differences(const std::function<double(std::span<const double>)>& f, std::vector<double> theta);

/// The largest element of |gradient - reference|, over that of |reference|.
double relative_error(const std::vector<double>& gradient, const std::vector<double>& reference);

}  // namespace apps::claims
