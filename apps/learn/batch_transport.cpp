#include "apps/learn/batch_transport.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "ot/exact/exact.h"
#include "ot/semidual.h"
#include "ot/sinkhorn/self_transport.h"
#include "ot/sinkhorn/sinkhorn.h"
#include "ot/subset.h"

namespace apps {

using engine::real;
using engine::Tensor;
using engine::Var;

namespace {

/// Of an exact plan.
Var exact_transport(const ot::Target& nu, const Var& x, const ot::CostMatrix& costs, const std::vector<double>& mu) {
  const ot::ExactTransport found = ot::exact_transport(costs, mu, nu.weights());
  Var result = engine::recorded(Tensor::scalar(static_cast<real>(found.value)), x);
  if (!x.on_tape()) return result;
  const auto d = static_cast<std::size_t>(nu.dimension());
  Tensor gradient = Tensor::zeros(x.shape());
  std::vector<real> of_pair(d);
  for (const ot::Flow& flow : found.plan) {
    const std::size_t row = static_cast<std::size_t>(flow.source) * d;
    nu.cost_gradient(x.value().data() + row, flow.target, of_pair.data());
    for (std::size_t c = 0; c < d; ++c) gradient.data()[row + c] += static_cast<real>(flow.mass) * of_pair[c];
  }
  result.pull_back(x, [gradient, x](const Var& upstream) {
    return mul(upstream, engine::differentiable_once("batch_transport", gradient, x));
  });
  return result;
}

}  // namespace

Var batch_transport(const ot::Target& nu, const Var& x, double lambda) {
  ot::CostMatrix costs = ot::cost_matrix(nu, x.value());
  // What has diverged is to come out as such, not to stop what computes costs of it.
  if (!std::ranges::all_of(x.value().values(), [](real value) { return std::isfinite(value); }))
    return mean(x) * std::numeric_limits<double>::quiet_NaN();
  costs.hold();
  const std::vector<double> mu(static_cast<std::size_t>(x.dim(0)), 1 / static_cast<double>(x.dim(0)));
  if (lambda == 0) return exact_transport(nu, x, costs, mu);
  const ot::SinkhornResult found =
      ot::sinkhorn(costs, mu, nu.weights(), {.lambda = lambda, .iterations = 1000, .tolerance = 1e-4});
  // H at the maximum, whose gradient is the plan's.
  const std::vector<real> psi(found.psi.begin(), found.psi.end());
  return ot::semidual(nu, x, Tensor({nu.size()}, psi), lambda);
}

Var BatchTransport::loss(const Var& x, const Tensor&, std::int64_t n) {
  const ot::Subset y(target_, x.dim(0), random_draws(options_.seed, Draw::generator_points, n, 0));
  const Var transport = batch_transport(y.target, x, options_.lambda);
  if (options_.loss == "transport") return transport;
  const double of_data = ot::self_transport(y.target, options_.lambda, y.target.size(), options_.seed);
  return transport - 0.5 * (ot::self_transport(target_, x, options_.lambda) + of_data);
}

}  // namespace apps
