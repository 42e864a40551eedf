#include "apps/learn/pair_costs.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "engine/ops/elementwise.h"
#include "engine/ops/matmul.h"
#include "engine/ops/reduce.h"
#include "engine/ops/shape.h"
#include "engine/parallel.h"
#include "ot/plan/cost_matrix.h"

namespace apps {

using engine::real;
using engine::Tensor;
using engine::Var;

namespace {

constexpr std::int64_t rows_together = 16;

/// sum_j pi_ij grad c(x_i, y_j), in x_i, [B, d].
Tensor gradients(const ot::Target& nu, const Tensor& x, const Tensor& y, const Tensor& pi) {
  const std::int64_t d = x.dim(1), columns = y.dim(0);
  if (!nu.ground_cost()) {  // 2 scale sum_j pi_ij (x_i - y_j), around the mean, where less is lost
    const Var near = nu.centred(x), pulled = matmul(pi, nu.centred(y));
    return ((sum(pi, {1}, true) * near - pulled) * (2 * nu.scale())).value();
  }
  Tensor result = Tensor::zeros(x.shape());
  const Tensor weights = (pi * Var(Tensor::scalar(static_cast<real>(nu.scale())))).value();
  engine::parallel_for(x.dim(0), rows_together, [&](std::int64_t begin, std::int64_t end) {
    nu.ground_cost()->add_gradients({x.data() + begin * d, end - begin, d}, {y.data(), columns, d},
                                    weights.data() + begin * columns, result.data() + begin * d);
  });
  return result;
}

std::vector<double> in_double(const Tensor& x) {
  return {x.values().begin(), x.values().end()};
}

}  // namespace

Tensor pair_costs(const ot::Target& nu, const Tensor& x, const Tensor& y) {
  engine::require(x.rank() == 2 && x.dim(1) == nu.dimension() && y.rank() == 2 && y.dim(1) == nu.dimension(),
                  "[pair_costs] points must be [B, ", nu.dimension(), "]: ", x.shape(), " and ", y.shape());
  const std::int64_t d = nu.dimension(), columns = y.dim(0);
  const std::vector<double> of_x = in_double(x), of_y = in_double(y);
  const ot::CostMatrix matrix =
      ot::cost_matrix({of_x, {}, x.dim(0), d}, {of_y, {}, columns, d}, nu.scale(), nu.ground_cost());
  Tensor costs({x.dim(0), columns});
  engine::parallel_for(x.dim(0), rows_together, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> tile(static_cast<std::size_t>((end - begin) * columns));
    matrix.tile({begin, end - begin, 0, columns}, tile.data());
    std::ranges::transform(tile, costs.data() + begin * columns, [](double c) { return static_cast<real>(c); });
  });
  return costs;
}

Var plan_cost(const ot::Target& nu, const Var& x, const Var& y, const Tensor& pi) {
  const Tensor costs = pair_costs(nu, x.value(), y.value());
  engine::require(pi.shape() == costs.shape(), "[plan_cost] the plan must be ", costs.shape(), ": ", pi.shape());
  double value = 0;
  for (std::int64_t k = 0; k < costs.size(); ++k)
    value += static_cast<double>(pi.data()[k]) * static_cast<double>(costs.data()[k]);
  Var result = engine::recorded(Tensor::scalar(static_cast<real>(value)), x, y);
  const auto pull_back = [&](const Var& side, Tensor gradient) {
    result.pull_back(side, [gradient, x, y](const Var& upstream) {
      return mul(upstream, engine::differentiable_once("plan_cost", gradient, x, y));
    });
  };
  if (x.on_tape()) pull_back(x, gradients(nu, x.value(), y.value(), pi));
  if (y.on_tape()) pull_back(y, gradients(nu, y.value(), x.value(), transpose(pi).value()));
  return result;
}

}  // namespace apps
