#include "ot/sinkhorn/self_transport.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/ops/elementwise.h"
#include "engine/random.h"
#include "engine/simd/kernels.h"
#include "ot/c_transform.h"
#include "ot/sinkhorn/sinkhorn.h"

namespace ot {

using engine::require;
using engine::Tensor;
using engine::Var;

namespace {

void require_lambda(double lambda) {
  require(lambda > 0 && std::isfinite(lambda), "[self_transport] lambda must be positive and finite: ", lambda);
}

/// The uniform measure on the rows of x, with the cost to `target`, but of scale 1. W_lambda for a cost s k is s times
/// W_{lambda / s} for k.
Target uniform_on(const Tensor& x, const Target& target) {
  return Target(std::vector<real>(x.values().begin(), x.values().end()), x.dim(0), x.dim(1),
                {CostScale::one, target.ground_cost()});
}

/// chi_* and W_lambda(mu, mu), for the points x of mu.
SinkhornResult solve(const Target& mu, const Tensor& x, double lambda) {
  CostMatrix costs = cost_matrix(mu, x);
  costs.hold();
  // What rounding allows at any lambda. The value, the maximum of (74), errs by about the square of it only.
  constexpr double tolerance = sizeof(real) == sizeof(double) ? 1e-9 : 1e-5;
  return symmetric_sinkhorn(costs, mu.weights(), {.lambda = lambda, .iterations = 1000, .tolerance = tolerance});
}

/// W_lambda(mu, mu) and its gradient in x, if wanted.
struct SelfTransport {
  double value;
  Tensor gradient;
};

SelfTransport transport(const Tensor& x, const Target& target, double lambda, bool with_gradient) {
  const auto values = x.values();
  if (!std::all_of(values.begin(), values.end(), [](real value) { return std::isfinite(value); })) {
    constexpr real nan = std::numeric_limits<real>::quiet_NaN();
    return {nan, with_gradient ? Tensor::full(x.shape(), nan) : Tensor()};
  }
  const double scale = target.scale();
  const Target mu = uniform_on(x, target);
  const SinkhornResult solution = solve(mu, x, lambda / scale);
  SelfTransport result{scale * solution.duality.dual, {}};
  if (!with_gradient) return result;
  const std::vector<real> chi(solution.psi.begin(), solution.psi.end());
  result.gradient = c_transform(mu, x, Tensor({x.dim(0)}, chi), lambda / scale, {.gradient = true}).gradient;
  engine::simd::kernels().scale(x.size(), static_cast<real>(2 * scale / static_cast<double>(x.dim(0))),
                                result.gradient.data(), result.gradient.data());
  return result;
}

}  // namespace

Var self_transport(const Target& target, const Var& x, double lambda) {
  require_lambda(lambda);
  require(x.rank() == 2 && x.dim(0) >= 1 && x.dim(1) == target.dimension(),
          "[self_transport] x must be [B, d] with d the target's dimension: ", x.shape(), " against ",
          target.dimension());
  const SelfTransport self = transport(x.value(), target, lambda, x.on_tape());
  Var result = engine::recorded(Tensor::scalar(static_cast<real>(self.value)), x);
  result.pull_back(x, [gradient = self.gradient, x](const Var& upstream) {
    return mul(upstream, engine::differentiable_once("self_transport", gradient, x));
  });
  return result;
}

double self_transport(const Target& nu, double lambda, std::int64_t most_points, std::uint64_t seed) {
  require_lambda(lambda);
  if (nu.size() <= most_points) {
    Tensor y({nu.size(), nu.dimension()});
    nu.rows(0, nu.size(), y.data());
    return solve(nu, y, lambda).duality.dual;
  }
  std::vector<double> cumulated(nu.weights().begin(), nu.weights().end());
  for (std::size_t j = 1; j < cumulated.size(); ++j) cumulated[j] += cumulated[j - 1];
  Tensor y({most_points, nu.dimension()});
  for (std::int64_t i = 0; i < most_points; ++i) {
    const double draw = engine::Random(seed, 0).uniform(static_cast<std::uint64_t>(i)) * cumulated.back();
    const std::int64_t j = std::upper_bound(cumulated.begin(), cumulated.end(), draw) - cumulated.begin();
    nu.rows(j, j + 1, y.data() + i * nu.dimension());
  }
  return transport(y, nu, lambda, false).value;
}

}  // namespace ot
