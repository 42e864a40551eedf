#include "ot/semidual.h"

#include "engine/ops/elementwise.h"
#include "engine/simd/kernels.h"
#include "ot/c_transform.h"

namespace ot {

using engine::Tensor;
using engine::Var;

namespace {
double mean(const Tensor& values) {
  double sum = 0;
  for (const real value : values.values()) sum += value;
  return sum / static_cast<double>(values.size());
}

/// H, of the c-transform with what the tape asks for.
Var recorded(const Target& target, const CTransform& transform, const Var& x, const Var& psi) {
  const double value = mean(transform.value) + expectation(target, psi.value());
  Var result = engine::recorded(Tensor::scalar(static_cast<real>(value)), x, psi);
  if (x.on_tape()) {
    Tensor gradient(x.shape());
    engine::simd::kernels().scale(gradient.size(), static_cast<real>(1 / static_cast<double>(x.dim(0))),
                                  transform.gradient.data(), gradient.data());
    result.pull_back(x, [gradient, x, psi](const Var& upstream) {
      return mul(upstream, engine::differentiable_once("semidual", gradient, x, psi));
    });
  }
  if (psi.on_tape()) {
    result.pull_back(psi, [gradient = semidual_gradient(target, transform.mass), x, psi](const Var& upstream) {
      return mul(upstream, engine::differentiable_once("semidual", gradient, x, psi));
    });
  }
  return result;
}

Wanted wanted(const Var& x, const Var& psi) {
  return {.gradient = x.on_tape(), .mass = psi.on_tape()};
}
}  // namespace

double expectation(const Target& target, const Tensor& psi) {
  double sum = 0;
  target.ranks().in_turn(sum, [&] {
    for (std::size_t j = 0; j < target.weights().size(); ++j)
      if (target.weights()[j] > 0) sum += target.weights()[j] * psi.values()[j];
  });
  return sum;
}

Tensor semidual_gradient(const Target& target, const Tensor& mass) {
  Tensor gradient(mass.shape());
  for (std::size_t j = 0; j < mass.values().size(); ++j)
    gradient.values()[j] = static_cast<real>(target.weights()[j] - mass.values()[j]);
  return gradient;
}

Var semidual(const Target& target, const Var& x, const Var& psi, double lambda) {
  return recorded(target, c_transform(target, x.value(), psi.value(), lambda, wanted(x, psi)), x, psi);
}

Var semidual(Transformer& transform, const Var& x, const Var& psi, double lambda) {
  return recorded(transform.target(), transform(x.value(), psi.value(), lambda, wanted(x, psi)), x, psi);
}

}  // namespace ot
