#include "apps/sinkhorn_bounds.h"

#include <vector>

#include "ot/plan/cost_matrix.h"
#include "ot/plan/duality.h"
#include "ot/sinkhorn/sinkhorn.h"

namespace apps {

using engine::Tensor;

namespace {
/// Stands for lambda = 0, by which H changes by lambda log J at most.
constexpr double smallest_lambda = 0.0015;
}  // namespace

TransportBounds sinkhorn_bounds(const ot::Target& target, const Tensor& x, double lambda,
                                const std::function<bool()>& go_on) {
  ot::CostMatrix costs = ot::cost_matrix(target, x);
  costs.hold();
  const std::vector<double> mu(static_cast<std::size_t>(x.dim(0)), 1 / static_cast<double>(x.dim(0)));
  const ot::SinkhornOptions options{
      .lambda = lambda > 0 ? lambda : smallest_lambda, .iterations = 3000, .tolerance = 1e-5};
  const ot::SinkhornResult result =
      ot::sinkhorn(costs, mu, target.weights(), options, [&](const ot::SinkhornProgress&) { return go_on(); });
  if (lambda > 0) return {result.duality.dual, result.duality.primal};
  return {ot::duality(costs, mu, target.weights(), result.psi, 0).dual, result.duality.transport_cost};
}

}  // namespace apps
