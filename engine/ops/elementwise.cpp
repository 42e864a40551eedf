#include "engine/ops/elementwise.h"

#include <cmath>

#include "engine/ops/reduce.h"
#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace engine {

namespace {

constexpr std::int64_t grain = 16384;  // elements a thread takes at a time: a few microseconds of work

using Unary = void (*)(std::int64_t, const real*, real*);
using Binary = void (*)(std::int64_t, const real*, const real*, real*);

// y_i = f(x_i) over pieces; f(n, x, y).
template <class Function>
Tensor map(const Tensor& x, const Function& f) {
  Tensor y(x.shape());
  const real* in = x.data();
  real* out = y.data();
  parallel_for<Share::stretches>(
      x.size(), grain, [&](std::int64_t begin, std::int64_t end) { f(end - begin, in + begin, out + begin); });
  return y;
}

// c_i = f(a_i, b_i) for equal shapes; f(n, a, b, c).
template <class Function>
Tensor map(const Tensor& a, const Tensor& b, const Function& f) {
  Tensor c(a.shape());
  const real *left = a.data(), *right = b.data();
  real* out = c.data();
  parallel_for<Share::stretches>(a.size(), grain, [&](std::int64_t begin, std::int64_t end) {
    f(end - begin, left + begin, right + begin, out + begin);
  });
  return c;
}

// For each axis of `shape`, how far a step along it moves in x; 0 where x repeats.
Shape broadcast_strides(const Shape& x, const Shape& shape) {
  Shape strides = shape;
  std::int64_t stride = 1;
  for (int axis = shape.rank() - 1, own = x.rank() - 1; axis >= 0; --axis, --own) {
    const std::int64_t size = own >= 0 ? x[own] : 1;
    strides[axis] = size == 1 ? 0 : stride;
    stride *= size;
  }
  return strides;
}

// The values of x repeated to `shape`.
Tensor repeated(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  Tensor y(shape);
  if (y.size() == 0) return y;
  const int rank = shape.rank();
  if (x.size() == 1) {
    std::fill_n(y.data(), y.size(), *x.data());
    return y;
  }
  const Shape strides = broadcast_strides(x.shape(), shape);
  const std::int64_t row = shape[rank - 1], rows = y.size() / row;
  const real* in = x.data();
  real* out = y.data();
  parallel_for<Share::stretches>(rows, std::max<std::int64_t>(1, grain / row),
                                 [&](std::int64_t begin, std::int64_t end) {
                                   for (std::int64_t r = begin; r < end; ++r) {
                                     std::int64_t rest = r, offset = 0;
                                     for (int axis = rank - 2; axis >= 0; --axis) {
                                       offset += rest % shape[axis] * strides[axis];
                                       rest /= shape[axis];
                                     }
                                     if (strides[rank - 1] == 0)
                                       std::fill_n(out + r * row, row, in[offset]);
                                     else
                                       std::copy_n(in + offset, row, out + r * row);
                                   }
                                 });
  return y;
}

Tensor broadcast(const char* op, const Tensor& a, const Tensor& b, Binary f) {
  if (a.shape() == b.shape()) return map(a, b, f);
  const Shape shape = broadcast_shape(op, a.shape(), b.shape());
  return map(repeated(a, shape), repeated(b, shape), f);
}

Tensor sign(const Tensor& x) {
  return map(x, [](std::int64_t n, const real* in, real* out) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<real>((in[i] > 0) - (in[i] < 0));
  });
}

}  // namespace

Shape broadcast_shape(const char* op, const Shape& a, const Shape& b) {
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape result = longer;
  for (int axis = longer.rank() - 1, other = shorter.rank() - 1; other >= 0; --axis, --other) {
    require(longer[axis] == shorter[other] || longer[axis] == 1 || shorter[other] == 1, "[", op,
            "] shapes must broadcast: ", a, " and ", b);
    if (longer[axis] == 1) result[axis] = shorter[other];
  }
  return result;
}

Var broadcast_to(const Var& x, const Shape& shape) {
  require(broadcast_shape("broadcast_to", x.shape(), shape) == shape,
          "[broadcast_to] shapes must broadcast: ", x.shape(), " to ", shape);
  Var y = recorded(repeated(x.value(), shape), x);
  y.pull_back(x, [from = x.shape()](const Var& g) { return sum_to(g, from); });
  return y;
}

Var add(const Var& a, const Var& b) {
  Var c = recorded(broadcast("add", a.value(), b.value(), simd::kernels().add), a, b);
  c.pull_back(a, [shape = a.shape()](const Var& g) { return sum_to(g, shape); });
  c.pull_back(b, [shape = b.shape()](const Var& g) { return sum_to(g, shape); });
  return c;
}

Var sub(const Var& a, const Var& b) {
  Var c = recorded(broadcast("sub", a.value(), b.value(), simd::kernels().sub), a, b);
  c.pull_back(a, [shape = a.shape()](const Var& g) { return sum_to(g, shape); });
  c.pull_back(b, [shape = b.shape()](const Var& g) { return neg(sum_to(g, shape)); });
  return c;
}

Var mul(const Var& a, const Var& b) {
  Var c = recorded(broadcast("mul", a.value(), b.value(), simd::kernels().mul), a, b);
  c.pull_back(a, [b, shape = a.shape()](const Var& g) { return sum_to(mul(g, b), shape); });
  c.pull_back(b, [a, shape = b.shape()](const Var& g) { return sum_to(mul(g, a), shape); });
  return c;
}

Var div(const Var& a, const Var& b) {
  Var c = recorded(broadcast("div", a.value(), b.value(), simd::kernels().div), a, b);
  c.pull_back(a, [b, shape = a.shape()](const Var& g) { return sum_to(div(g, b), shape); });
  c.pull_back(b, [b, c](const Var& g) { return sum_to(neg(div(mul(g, c), b)), b.shape()); });
  return c;
}

Var neg(const Var& x) {
  return x * -1.0;
}

Var exp(const Var& x) {
  Var y = recorded(map(x.value(), simd::kernels().exp), x);
  y.pull_back(x, [y](const Var& g) { return mul(g, y); });
  return y;
}

Var log(const Var& x) {
  Var y = recorded(map(x.value(), simd::kernels().log), x);
  y.pull_back(x, [x](const Var& g) { return div(g, x); });
  return y;
}

Var sqrt(const Var& x) {
  Var y = recorded(map(x.value(), simd::kernels().sqrt), x);
  y.pull_back(x, [y](const Var& g) { return div(g * 0.5, y); });
  return y;
}

Var pow(const Var& x, double power) {
  Tensor value = map(x.value(), [power](std::int64_t n, const real* in, real* out) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<real>(std::pow(in[i], static_cast<real>(power)));
  });
  Var y = recorded(std::move(value), x);
  // The derivative of a constant is 0 even where x^-1 is not finite.
  if (power != 0) y.pull_back(x, [x, power](const Var& g) { return mul(g, pow(x, power - 1)) * power; });
  return y;
}

Var abs(const Var& x) {
  Var y = recorded(map(x.value(), simd::kernels().abs), x);
  y.pull_back(x, [x](const Var& g) { return mul(g, sign(x.value())); });
  return y;
}

Var relu(const Var& x) {
  return leaky_relu(x, 0);
}

Var leaky_relu_gradient(const Var& g, const Tensor& y, double slope) {
  const auto a = static_cast<real>(slope);
  const auto& k = simd::kernels();
  Var result = recorded(map(g.value(), y,
                            [&k, a](std::int64_t n, const real* gradient, const real* sign, real* out) {
                              k.leaky_relu_gradient(n, a, gradient, sign, out);
                            }),
                        g);
  result.pull_back(g, [y, slope](const Var& h) { return leaky_relu_gradient(h, y, slope); });
  return result;
}

Var leaky_relu(const Var& x, double slope) {
  const auto a = static_cast<real>(slope);
  const auto& k = simd::kernels();
  Var y =
      recorded(map(x.value(), [&k, a](std::int64_t n, const real* in, real* out) { k.leaky_relu(n, a, in, out); }), x);
  y.pull_back(x, [input = x.value(), slope](const Var& g) { return leaky_relu_gradient(g, input, slope); });
  return y;
}

Var sigmoid_gradient(const Var& g, const Var& y) {
  if (!recording()) return map(g.value(), y.value(), simd::kernels().sigmoid_gradient);
  return mul(g, y - mul(y, y));
}

Var sigmoid(const Var& x) {
  Var y = recorded(map(x.value(), simd::kernels().sigmoid), x);
  y.pull_back(x, [y](const Var& g) { return sigmoid_gradient(g, y); });
  return y;
}

Var tanh_gradient(const Var& g, const Var& y) {
  if (!recording()) return map(g.value(), y.value(), simd::kernels().tanh_gradient);
  return sub(g, mul(g, mul(y, y)));
}

Var tanh(const Var& x) {
  Var y = recorded(map(x.value(), simd::kernels().tanh), x);
  y.pull_back(x, [y](const Var& g) { return tanh_gradient(g, y); });
  return y;
}

Var softplus(const Var& x) {
  Var y = recorded(map(x.value(), simd::kernels().softplus), x);
  y.pull_back(x, [x](const Var& g) { return mul(g, sigmoid(x)); });
  return y;
}

}  // namespace engine
