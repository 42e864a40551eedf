#include "engine/ops/matmul.h"

#include "engine/product.h"

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

}  // namespace

Var matmul(const Var& a, const Var& b, Transpose transpose_a, Transpose transpose_b) {
  require(a.rank() == 2 && b.rank() == 2, "[matmul] both inputs must be matrices: ", a.shape(), " x ", b.shape());
  const std::int64_t inner = columns(a.value(), transpose_a);
  require(inner == rows(b.value(), transpose_b), "[matmul] inner sizes must agree: ", a.shape(),
          transpose_a == Transpose::yes ? "^T" : "", " x ", b.shape(), transpose_b == Transpose::yes ? "^T" : "");
  Tensor value(Shape{rows(a.value(), transpose_a), columns(b.value(), transpose_b)});
  const Product product(transpose_a, transpose_b, value.dim(0), value.dim(1), inner, a.value().data(), a.dim(1),
                        b.value().data(), b.dim(1));
  product.for_each_tile([&](const ProductTile& tile) { product.compute(tile, false, value.data()); });
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

}  // namespace engine
