#include "engine/ops/linear.h"

#include <algorithm>
#include <cmath>

#include "engine/blas.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/matmul.h"
#include "engine/ops/reduce.h"
#include "engine/simd/kernels.h"

namespace engine {

namespace {

using Kind = Activation::Kind;

void apply(const Activation& activation, std::int64_t n, real* values) {
  if (activation.kind == Kind::leaky_relu)
    simd::kernels().leaky_relu(n, static_cast<real>(activation.slope), values, values);
  else if (activation.kind == Kind::sigmoid)
    simd::kernels().sigmoid(n, values, values);
}

/// The gradient in the sums, given the gradient g in y = activation(sums).
Var gradient(const Activation& activation, const Var& g, const Var& y) {
  return activation.kind == Kind::leaky_relu ? leaky_relu_gradient(g, y.value(), activation.slope)
                                             : sigmoid_gradient(g, y);
}

}  // namespace

Var linear(const Var& x, const Var& weight, const Var& bias, const Activation& activation) {
  require(x.rank() == 2 && weight.rank() == 2 && x.dim(1) == weight.dim(1),
          "[linear] x [B, in] and weight [out, in] must agree in `in`: ", x.shape(), " x ", weight.shape());
  require(bias.rank() == 1 && bias.dim(0) == weight.dim(0),
          "[linear] bias [out] must match weight [out, in]: ", bias.shape(), " against ", weight.shape());
  require(activation.slope >= 0 && std::isfinite(activation.slope),
          "[linear] the slope must be finite and not negative: ", activation.slope);
  const std::int64_t inputs = x.dim(1), outputs = weight.dim(0);
  Tensor value(Shape{x.dim(0), outputs});
  for_product_tiles(x.dim(0), outputs, [&](std::int64_t i, std::int64_t rows, std::int64_t j, std::int64_t columns) {
    real* tile = value.data() + i * outputs + j;
    for (std::int64_t row = 0; row < rows; ++row) std::copy_n(bias.value().data() + j, columns, tile + row * outputs);
    gemm_single(Transpose::no, Transpose::yes, rows, columns, inputs, 1, x.value().data() + i * inputs, inputs,
                weight.value().data() + j * inputs, inputs, 1, tile, outputs);
    for (std::int64_t row = 0; row < rows; ++row) apply(activation, columns, tile + row * outputs);
  });

  // The sums stand on the tape with their shape alone: what their memory holds is already y.
  Var sums = recorded(std::move(value), x, weight, bias);
  sums.pull_back(x, [weight](const Var& g) { return matmul(g, weight); });
  sums.pull_back(weight, [x](const Var& g) { return matmul(g, x, Transpose::yes); });
  sums.pull_back(bias, [](const Var& g) { return sum(g, {0}); });
  if (activation.kind == Kind::identity) return sums;
  Var y = recorded(sums.value(), sums);
  y.pull_back(sums, [activation, y](const Var& g) { return gradient(activation, g, y); });
  return y;
}

}  // namespace engine
