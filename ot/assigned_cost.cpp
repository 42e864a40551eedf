#include "ot/assigned_cost.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::Tensor;
using engine::Var;

Var assigned_cost(const Target& target, const Var& x, std::span<const std::int64_t> points) {
  const std::int64_t batch = std::ssize(points), d = target.dimension();
  engine::require(batch >= 1 && x.shape() == engine::Shape{batch, d}, "[assigned_cost] x must be ",
                  engine::Shape{batch, d}, " for ", batch, " points of the target: ", x.shape());
  std::vector<double> costs(points.size(), std::numeric_limits<double>::quiet_NaN());
  const bool on_tape = x.on_tape();  // of this thread
  Tensor gradient = on_tape ? Tensor::full(x.shape(), std::numeric_limits<real>::quiet_NaN()) : Tensor();
  engine::parallel_for(batch, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t j = points[static_cast<std::size_t>(i)];
      if (j < 0) continue;
      costs[static_cast<std::size_t>(i)] = target.cost(x.value().data() + i * d, j);
      if (!on_tape) continue;
      real* of_row = gradient.data() + i * d;
      target.cost_gradient(x.value().data() + i * d, j, of_row);
      engine::simd::kernels().scale(d, static_cast<real>(1 / static_cast<double>(batch)), of_row, of_row);
    }
  });
  double sum = 0;
  for (const double cost : costs) sum += cost;
  Var result = engine::recorded(Tensor::scalar(static_cast<real>(sum / static_cast<double>(batch))), x);
  if (on_tape)
    result.pull_back(x, [gradient, x](const Var& upstream) {
      return mul(upstream, engine::differentiable_once("assigned_cost", gradient, x));
    });
  return result;
}

}  // namespace ot
