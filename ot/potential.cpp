#include "ot/potential.h"

#include <algorithm>
#include <utility>

#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/ops/shape.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::Tensor;
using engine::Var;

namespace {
constexpr std::int64_t points_at_once = 2000;
}

std::vector<Var> VectorPotential::pull_back(const Tensor& gradient, const Subset& subset) {
  Tensor all = Tensor::zeros(psi_.shape());
  subset.scatter(gradient, all);
  return {all};
}

NetworkPotential::NetworkPotential(const Target& target, std::function<Var(const Var&)> function,
                                   std::vector<Var*> parameters)
    : target_(target), function_(std::move(function)), parameters_(std::move(parameters)) {
  engine::require(!parameters_.empty(), "[potential] a network must have parameters");
}

Var NetworkPotential::evaluate(const Target& target, std::int64_t begin, std::int64_t end) const {
  Tensor points({end - begin, target.dimension()});
  target.rows(begin, end, points.data());
  const Var values = function_(points);
  engine::require(values.size() == end - begin,
                  "[potential] a network must return one value for each point: ", values.shape(), " for ", end - begin,
                  " points");
  return engine::reshape(values, {end - begin});
}

Tensor NetworkPotential::values(const Target& target) const {
  const engine::NoGrad no_grad;
  Tensor psi({target.size()});
  for (std::int64_t begin = 0; begin < target.size(); begin += points_at_once) {
    const std::int64_t end = std::min(target.size(), begin + points_at_once);
    const Var part = evaluate(target, begin, end);
    std::copy_n(part.value().data(), end - begin, psi.data() + begin);
  }
  return psi;
}

std::vector<Var> NetworkPotential::pull_back(const Tensor& gradient, const Target& target) {
  engine::require(gradient.shape() == engine::Shape{target.size()},
                  "[potential] a gradient must have one value for each point of the target: ", gradient.shape(),
                  " against ", target.size());
  std::vector<Var> sums;
  for (std::int64_t begin = 0; begin < target.size(); begin += points_at_once) {
    const std::int64_t end = std::min(target.size(), begin + points_at_once);
    engine::Tape tape;
    for (Var* parameter : parameters_) tape.watch(*parameter);
    const Tensor part({end - begin}, gradient.values().subspan(static_cast<std::size_t>(begin),
                                                               static_cast<std::size_t>(end - begin)));
    const Var output = engine::sum(engine::mul(evaluate(target, begin, end), part));
    std::vector<Var> inputs;
    for (const Var* parameter : parameters_) inputs.push_back(*parameter);
    std::vector<Var> parts = tape.gradient(output, inputs);
    if (sums.empty()) {
      for (const Var& first : parts) sums.emplace_back(first.value().clone());
      continue;
    }
    for (std::size_t p = 0; p < parts.size(); ++p)
      engine::simd::kernels().axpy(parts[p].size(), 1, parts[p].value().data(), sums[p].value().data());
  }
  return sums;
}

}  // namespace ot
