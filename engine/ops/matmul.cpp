#include "engine/ops/matmul.h"

#include "engine/blas.h"
#include "engine/ops/reduce.h"
#include "engine/parallel.h"

namespace engine {

namespace {

Transpose flipped(Transpose t) {
  return t == Transpose::no ? Transpose::yes : Transpose::no;
}

std::int64_t rows(const Tensor& x, Transpose t) {
  return x.dim(t == Transpose::no ? 0 : 1);
}

std::int64_t columns(const Tensor& x, Transpose t) {
  return x.dim(t == Transpose::no ? 1 : 0);
}

// c = op(a) op(b) + beta c
void product(const Tensor& a, const Tensor& b, Transpose ta, Transpose tb, real beta, Tensor& c) {
  gemm(ta, tb, rows(a, ta), columns(b, tb), columns(a, ta), 1, a.data(), a.dim(1), b.data(), b.dim(1), beta, c.data(),
       c.dim(1));
}

}  // namespace

Var matmul(const Var& a, const Var& b, Transpose transpose_a, Transpose transpose_b) {
  require(a.rank() == 2 && b.rank() == 2, "[matmul] both inputs must be matrices: ", a.shape(), " x ", b.shape());
  const std::int64_t inner = columns(a.value(), transpose_a);
  require(inner == rows(b.value(), transpose_b), "[matmul] inner sizes must agree: ", a.shape(),
          transpose_a == Transpose::yes ? "^T" : "", " x ", b.shape(), transpose_b == Transpose::yes ? "^T" : "");
  Tensor value(Shape{rows(a.value(), transpose_a), columns(b.value(), transpose_b)});
  product(a.value(), b.value(), transpose_a, transpose_b, 0, value);
  Var c = recorded(std::move(value), a, b);
  // C = A B gives dA = G B^T and dB = A^T G; where an input is transposed, so is the gradient.
  c.pull_back(a, [b, transpose_a, transpose_b](const Var& g) {
    return transpose_a == Transpose::no ? matmul(g, b, Transpose::no, flipped(transpose_b))
                                        : matmul(b, g, transpose_b, Transpose::yes);
  });
  c.pull_back(b, [a, transpose_a, transpose_b](const Var& g) {
    return transpose_b == Transpose::no ? matmul(a, g, flipped(transpose_a), Transpose::no)
                                        : matmul(g, a, Transpose::yes, transpose_a);
  });
  return c;
}

Var linear(const Var& x, const Var& weight, const Var& bias) {
  require(x.rank() == 2 && weight.rank() == 2 && x.dim(1) == weight.dim(1),
          "[linear] x [B, in] and weight [out, in] must agree in `in`: ", x.shape(), " x ", weight.shape());
  require(bias.rank() == 1 && bias.dim(0) == weight.dim(0),
          "[linear] bias [out] must match weight [out, in]: ", bias.shape(), " against ", weight.shape());
  Tensor value(Shape{x.dim(0), weight.dim(0)});
  for (std::int64_t row = 0; row < x.dim(0); ++row)
    std::copy_n(bias.value().data(), bias.size(), value.data() + row * bias.size());
  product(x.value(), weight.value(), Transpose::no, Transpose::yes, 1, value);
  Var y = recorded(std::move(value), x, weight, bias);
  y.pull_back(x, [weight](const Var& g) { return matmul(g, weight); });
  y.pull_back(weight, [x](const Var& g) { return matmul(g, x, Transpose::yes); });
  y.pull_back(bias, [](const Var& g) { return sum(g, {0}); });
  return y;
}

}  // namespace engine
