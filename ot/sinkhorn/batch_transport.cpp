#include "ot/sinkhorn/batch_transport.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "ot/exact/exact.h"
#include "ot/sinkhorn/sinkhorn.h"

namespace ot {

using engine::real;
using engine::Tensor;
using engine::Var;

namespace {

std::vector<double> uniform(std::int64_t count) {
  return std::vector<double>(static_cast<std::size_t>(count), 1 / static_cast<double>(count));
}

/// A value whose gradient in the costs is the plan [n, m].
Var held(const Var& costs, double value, const Tensor& plan) {
  Var result = engine::recorded(Tensor::scalar(static_cast<real>(value)), costs);
  result.pull_back(costs, [plan, costs](const Var& g) {
    return mul(g, engine::differentiable_once("batch_transport", plan, costs));
  });
  return result;
}

Var exact(const Var& costs, const CostMatrix& matrix) {
  const ExactTransport found = exact_transport(matrix, uniform(matrix.rows()), uniform(matrix.columns()));
  Tensor plan = Tensor::zeros(costs.shape());
  for (const Flow& flow : found.plan)
    plan.data()[flow.source * matrix.columns() + flow.target] = static_cast<real>(flow.mass);
  return held(costs, found.value, plan);
}

Var entropic(const Var& costs, const CostMatrix& matrix, double lambda, bool sharp) {
  Tensor plan(costs.shape());
  const auto keep = [&](std::int64_t i, std::span<const double> row) {
    std::ranges::transform(row, plan.data() + i * matrix.columns(), [](double p) { return static_cast<real>(p); });
  };
  const SinkhornResult found = sinkhorn(matrix, uniform(matrix.rows()), uniform(matrix.columns()),
                                        {.lambda = lambda, .iterations = 1000, .tolerance = 1e-4}, {}, keep);
  return held(costs, sharp ? found.duality.transport_cost : found.duality.dual, plan);
}

Var unrolled(const Var& costs, const BatchPlan& plan) {
  const auto n = static_cast<double>(costs.dim(0)), m = static_cast<double>(costs.dim(1));
  const Var closeness = costs * (-1 / plan.lambda);
  Var u, v = Tensor::zeros({1, costs.dim(1)});
  for (std::int64_t l = 0; l < plan.unrolled; ++l) {
    u = -logsumexp(closeness + v, 1, true) + std::log(m);
    v = -logsumexp(closeness + u, 0, true) + std::log(n);
  }
  if (!plan.sharp) return plan.lambda * (mean(u) + mean(v));
  return sum(exp(closeness + u + v) * costs) * (1 / (n * m));
}

}  // namespace

Var batch_transport(const Var& costs, const BatchPlan& plan) {
  engine::require(costs.rank() == 2, "[batch_transport] costs must be [n, m]: ", costs.shape());
  engine::require(plan.unrolled == 0 || plan.lambda > 0,
                  "[batch_transport] unrolled iterations need a lambda above 0: ", plan.lambda);
  // What has diverged is to come out as such, not to stop what computes a plan.
  if (!std::ranges::all_of(costs.value().values(), [](real cost) { return std::isfinite(cost); }))
    return mean(costs) * std::numeric_limits<double>::quiet_NaN();
  if (plan.unrolled > 0) return unrolled(costs, plan);
  const std::span<const real> values = costs.value().values();
  const CostMatrix matrix(costs.dim(0), costs.dim(1), std::vector<double>(values.begin(), values.end()));
  return plan.lambda == 0 ? exact(costs, matrix) : entropic(costs, matrix, plan.lambda, plan.sharp);
}

}  // namespace ot
