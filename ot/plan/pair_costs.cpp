#include "ot/plan/pair_costs.h"

#include "engine/ops/elementwise.h"
#include "engine/ops/matmul.h"
#include "engine/ops/reduce.h"
#include "engine/ops/shape.h"

namespace ot {

using engine::Tensor;
using engine::Var;

namespace {

Rows rows_of(const Tensor& points) {
  return {points.data(), points.dim(0), points.dim(1)};
}

Var squared_distances(const Var& x, const Var& y) {
  const Tensor centre = mean(Var(y.value()), {0}, true).value();
  const Var from = x - centre, to = y - centre;
  const Var norms = sum(from * from, {1}, true) + transpose(sum(to * to, {1}, true));
  return relu(norms - 2 * matmul(from, to, engine::Transpose::no, engine::Transpose::yes));
}

/// sum_j weights_ij grad k(x_i, y_j), linear in the weights, on the tape.
Var weighted_gradients(const std::shared_ptr<const GroundCost>& ground, const Var& x, const Var& y,
                       const Var& weights) {
  Tensor gradients = Tensor::zeros(x.shape());
  ground->add_gradients(rows_of(x.value()), rows_of(y.value()), weights.value().data(), gradients.data());
  return engine::differentiable_once("pair_costs", gradients, x, y, weights);
}

}  // namespace

Var pair_costs(const Var& x, const Var& y, double scale, const std::shared_ptr<const GroundCost>& ground) {
  engine::require(x.rank() == 2 && y.rank() == 2 && x.dim(1) == y.dim(1),
                  "[pair_costs] x must be [n, d] and y [m, d]: ", x.shape(), " and ", y.shape());
  if (!ground) return squared_distances(x, y) * scale;
  Tensor values({x.dim(0), y.dim(0)});
  ground->values(rows_of(x.value()), rows_of(y.value()), values.data());
  Var costs = engine::recorded(std::move(values), x, y);
  costs.pull_back(x, [=](const Var& g) { return weighted_gradients(ground, x, y, g); });
  costs.pull_back(y, [=](const Var& g) { return weighted_gradients(ground, y, x, transpose(g)); });
  return costs * scale;
}

Var pair_costs(const Target& nu, const Var& x, const Var& y) {
  return pair_costs(x, y, nu.scale(), nu.ground_cost());
}

}  // namespace ot
