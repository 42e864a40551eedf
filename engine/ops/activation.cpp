#include "engine/ops/activation.h"

#include <cmath>

#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/simd/kernels.h"

namespace engine {

void Activation::require_slope(const char* op) const {
  require(slope >= 0 && std::isfinite(slope), "[", op, "] the slope must be finite and not negative: ", slope);
}

Var Activation::operator()(const Var& x) const {
  switch (kind) {
    case Kind::leaky_relu:
      return engine::leaky_relu(x, slope);
    case Kind::sigmoid:
      return engine::sigmoid(x);
    case Kind::tanh:
      return engine::tanh(x);
    case Kind::identity:
      break;
  }
  return x;
}

void Activation::apply(std::int64_t n, real* values) const {
  if (kind == Kind::leaky_relu)
    simd::kernels().leaky_relu(n, static_cast<real>(slope), values, values);
  else if (kind == Kind::sigmoid)
    simd::kernels().sigmoid(n, values, values);
  else if (kind == Kind::tanh)
    simd::kernels().tanh(n, values, values);
}

Var Activation::of(const Var& sums) const {
  if (kind == Kind::identity) return sums;
  Var y = recorded(sums.value(), sums);
  y.pull_back(sums, [activation = *this, y](const Var& g) {
    if (activation.kind == Kind::leaky_relu) return leaky_relu_gradient(g, y.value(), activation.slope);
    return activation.kind == Kind::sigmoid ? sigmoid_gradient(g, y) : tanh_gradient(g, y);
  });
  return y;
}

}  // namespace engine
