#include "apps/learn/batch_c_transform.h"

#include <algorithm>
#include <utility>

#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/ops/shape.h"
#include "ot/plan/pair_costs.h"

namespace apps {

using engine::Tensor;
using engine::Var;

namespace {

/// [M] as a row.
Var row(const Var& f) {
  return reshape(f, {1, f.size()});
}

Var xi(const Tensor& c, const Var& f, const Var& g) {
  return c - row(f) - reshape(g, {g.size(), 1});
}

/// The plan of mass 1 / B for each row's least entry, [B, M].
Tensor to_the_least(const Tensor& values) {
  const std::int64_t rows = values.dim(0), columns = values.dim(1);
  Tensor plan = Tensor::zeros(values.shape());
  for (std::int64_t i = 0; i < rows; ++i) {
    const engine::real* const first = values.data() + i * columns;
    plan.data()[std::min_element(first, first + columns) - values.data()] =
        static_cast<engine::real>(1 / static_cast<double>(rows));
  }
  return plan;
}

}  // namespace

Var batch_c_transform(const Tensor& c, const Var& f) {
  return min(c - row(f), 1);
}

Var equality_penalty(const Tensor& c, const Var& f, const Var& g) {
  const Var off = xi(c, f, g);
  return mean(off * off);
}

Var inequality_penalty(const Tensor& c, const Var& f, const Var& g) {
  const Var below = relu(-xi(c, f, g));
  return mean(below * below);
}

BatchCTransform::BatchCTransform(const TrainOptions& options, const ot::Target& target,
                                 std::unique_ptr<models::Critic> f)
    : CriticObjective(options, target, critics_of(std::move(f))) {}

Var BatchCTransform::searched(const Var& x, const Tensor& y) const {
  return options_.search_space == "both" ? engine::concat({y, x}, 0) : y;
}

void BatchCTransform::step(const Tensor& x, Draw points, std::int64_t n, std::int64_t k) {
  const std::int64_t count = x.dim(0);
  const Tensor y = data(count, points, n, k), among = searched(x, y).value(),
               c = ot::pair_costs(target_, x, among).value();
  descend([&](engine::Tape&) {
    const Var f = critic()(among), of_x = batch_c_transform(c, f);
    Var descended = -(mean(slice(f, 0, 0, count)) + mean(of_x));
    if (options_.equality_penalty > 0) descended = descended + options_.equality_penalty * equality_penalty(c, f, of_x);
    if (options_.inequality_penalty > 0) {
      const Tensor others = data(count, beside(points), n, k);
      descended =
          descended + options_.inequality_penalty *
                          inequality_penalty(ot::pair_costs(target_, x, others).value(), critic()(others), of_x);
    }
    return descended;
  });
}

Var BatchCTransform::loss(const Var& x, const Tensor&, std::int64_t n) {
  const Tensor y = data(x.dim(0), Draw::generator_points, n, 0);
  const Var among = searched(x, y), f = critic()(among);
  const Var costs = ot::pair_costs(target_, x, among);
  const Tensor plan = to_the_least((costs - row(f)).value());
  return mean(slice(f, 0, 0, x.dim(0))) + sum(plan * costs) - sum(sum(plan, {0}) * f);
}

}  // namespace apps
