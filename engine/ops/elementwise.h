#pragma once

#include "engine/tape.h"

namespace engine {

// Binary ops broadcast as NumPy does: shapes are aligned at their innermost axes, and axes of size 1 repeat. The
// gradient in a broadcast input is summed back to its shape by sum_to (reduce.h). They throw Error `[op] shapes must
// broadcast` where the shapes do not fit.

Var add(const Var& a, const Var& b);  ///< a + b
Var sub(const Var& a, const Var& b);  ///< a - b
Var mul(const Var& a, const Var& b);  ///< a b
Var div(const Var& a, const Var& b);  ///< a / b; infinite or NaN at b = 0, as in IEEE arithmetic

Var neg(const Var& x);                ///< -x
Var exp(const Var& x);                ///< e^x
Var log(const Var& x);                ///< ln x; -inf at 0, NaN below
Var sqrt(const Var& x);               ///< square root; its gradient is infinite at 0
Var pow(const Var& x, double power);  ///< x^power; gradient power x^(power - 1)
Var abs(const Var& x);                ///< |x|; gradient sign(x), 0 at 0
Var relu(const Var& x);               ///< max(x, 0); gradient 0 at 0
/// x where x > 0, slope x elsewhere (the gradient at 0 is slope, as in PyTorch).
Var leaky_relu(const Var& x, double slope);
Var sigmoid(const Var& x);   ///< 1 / (1 + e^-x), without overflow for any x
Var tanh(const Var& x);      ///< hyperbolic tangent
Var softplus(const Var& x);  ///< ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|)

// The gradients of activations from their results, which tell as much as their arguments.
/// g where y > 0, slope g elsewhere, for y = leaky_relu(x) or x itself. Linear in g, constant in y.
Var leaky_relu_gradient(const Var& g, const Tensor& y, double slope);
Var sigmoid_gradient(const Var& g, const Var& y);  ///< g y (1 - y), for y = sigmoid(x)
Var tanh_gradient(const Var& g, const Var& y);     ///< g (1 - y^2), for y = tanh(x)

/// x repeated to `shape`; its gradient is summed back. Throws Error unless x broadcasts to it.
Var broadcast_to(const Var& x, const Shape& shape);

/// The shape that two shapes broadcast to. Throws Error naming `op` and both shapes where they do not fit.
Shape broadcast_shape(const char* op, const Shape& a, const Shape& b);

inline Var operator+(const Var& a, const Var& b) {
  return add(a, b);
}
inline Var operator-(const Var& a, const Var& b) {
  return sub(a, b);
}
inline Var operator*(const Var& a, const Var& b) {
  return mul(a, b);
}
inline Var operator/(const Var& a, const Var& b) {
  return div(a, b);
}
inline Var operator-(const Var& x) {
  return neg(x);
}
inline Var operator*(const Var& a, double b) {
  return mul(a, Tensor::scalar(static_cast<real>(b)));
}
inline Var operator*(double a, const Var& b) {
  return b * a;
}
inline Var operator+(const Var& a, double b) {
  return add(a, Tensor::scalar(static_cast<real>(b)));
}
inline Var operator-(const Var& a, double b) {
  return a + -b;
}

}  // namespace engine
