// Kernels that write one value for each element. Part of body.inl.
#pragma once

#include "engine/simd/vectors.inl"

namespace engine::simd {
namespace {

// ---- y_i = f(x_i).

template <class Arch>
void exp(Index n, const real* x, real* y) {
  map<Arch>(
      n, y, [](Batch<Arch> v) { return xsimd::exp(v); }, x);
}

template <class Arch>
void log(Index n, const real* x, real* y) {
  map<Arch>(
      n, y, [](Batch<Arch> v) { return xsimd::log(v); }, x);
}

template <class Arch>
void sqrt(Index n, const real* x, real* y) {
  map<Arch>(
      n, y, [](Batch<Arch> v) { return root<Arch>(v); }, x);
}

template <class Arch>
void abs(Index n, const real* x, real* y) {
  map<Arch>(
      n, y, [](Batch<Arch> v) { return xsimd::abs(v); }, x);
}

template <class Arch>
void sigmoid(Index n, const real* x, real* y) {
  const Batch<Arch> zero(real(0)), one(real(1));
  const auto f = [=](Batch<Arch> v) {
    const Batch<Arch> e = xsimd::exp(-xsimd::abs(v));
    return quotient<Arch>(xsimd::select(v < zero, e, one), one + e);
  };
  map<Arch>(n, y, f, x);
}

template <class Arch>
void tanh(Index n, const real* x, real* y) {
  map<Arch>(
      n, y, [](Batch<Arch> v) { return xsimd::tanh(v); }, x);
}

template <class Arch>
void softplus(Index n, const real* x, real* y) {
  const Batch<Arch> zero(real(0));
  const auto f = [=](Batch<Arch> v) {
    return xsimd::select(v > zero, v, zero) + xsimd::log1p(xsimd::exp(-xsimd::abs(v)));
  };
  map<Arch>(n, y, f, x);
}

template <class Arch>
void leaky_relu(Index n, real slope, const real* x, real* y) {
  const Batch<Arch> zero(real(0)), factor(slope);
  map<Arch>(
      n, y, [=](Batch<Arch> v) { return xsimd::select(v > zero, v, factor * v); }, x);
}

// ---- c_i = a_i op b_i and fused gradients.

template <class Arch>
void add(Index n, const real* a, const real* b, real* c) {
  map<Arch>(
      n, c, [](Batch<Arch> u, Batch<Arch> v) { return u + v; }, a, b);
}

template <class Arch>
void sub(Index n, const real* a, const real* b, real* c) {
  map<Arch>(
      n, c, [](Batch<Arch> u, Batch<Arch> v) { return u - v; }, a, b);
}

template <class Arch>
void mul(Index n, const real* a, const real* b, real* c) {
  map<Arch>(
      n, c, [](Batch<Arch> u, Batch<Arch> v) { return u * v; }, a, b);
}

template <class Arch>
void div(Index n, const real* a, const real* b, real* c) {
  map<Arch>(
      n, c, [](Batch<Arch> u, Batch<Arch> v) { return quotient<Arch>(u, v); }, a, b);
}

template <class Arch>
void leaky_relu_gradient(Index n, real slope, const real* g, const real* x, real* y) {
  const Batch<Arch> zero(real(0)), factor(slope);
  map<Arch>(
      n, y, [=](Batch<Arch> u, Batch<Arch> v) { return xsimd::select(v > zero, u, factor * u); }, g, x);
}

template <class Arch>
void sigmoid_gradient(Index n, const real* g, const real* s, real* y) {
  const Batch<Arch> one(real(1));
  map<Arch>(
      n, y, [=](Batch<Arch> u, Batch<Arch> v) { return u * v * (one - v); }, g, s);
}

template <class Arch>
void tanh_gradient(Index n, const real* g, const real* t, real* y) {
  const Batch<Arch> one(real(1));
  map<Arch>(
      n, y, [=](Batch<Arch> u, Batch<Arch> v) { return u * (one - v * v); }, g, t);
}

// ---- Scaling and accumulation.

template <class Arch>
void scale(Index n, real a, const real* x, real* y) {
  const Batch<Arch> factor(a);
  map<Arch>(
      n, y, [=](Batch<Arch> v) { return factor * v; }, x);
}

template <class Arch>
void axpy(Index n, real a, const real* x, real* y) {
  const Batch<Arch> factor(a);
  const auto f = [=](Batch<Arch> u, Batch<Arch> v) { return xsimd::fma(factor, u, v); };
  map<Arch>(n, y, f, x, static_cast<const real*>(y));
}

template <class Arch>
void standardise(Index n, real centre, real factor, real offset, const real* x, real* y) {
  const Batch<Arch> c(centre), f(factor), o(offset);
  map<Arch>(
      n, y, [=](Batch<Arch> v) { return xsimd::fma(v - c, f, o); }, x);
}

// ---- 8-bit points. xsimd 8.1 converts bytes one by one; compilers do better with plain loops.

template <class Arch>
void from_bytes(Index n, real a, const std::uint8_t* __restrict x, real* __restrict y) {
  for (Index i = 0; i < n; ++i) y[i] = a * static_cast<real>(x[i]);
}

// ---- Adam.

template <class Arch>
void adam(Index n, real* p, real* m, real* v, const real* g, real rate, real beta1, real beta2, real root_correction,
          real epsilon) {
  const Batch<Arch> keep1(beta1), keep2(beta2), take1(1 - beta1), take2(1 - beta2);
  const Batch<Arch> length(rate), correction(root_correction), floor(epsilon);
  for (Index i = 0; i < n; i += width<Arch>) {
    const Index count = n - i;
    const bool whole = count >= width<Arch>;
    const auto at = [=](const real* x) { return whole ? load<Arch>(x + i) : load_first<Arch>(count, x + i); };
    const auto put = [=](Batch<Arch> batch, real* x) {
      whole ? batch.store_unaligned(x + i) : store_first<Arch>(count, batch, x + i);
    };
    const Batch<Arch> gradient = at(g);
    const Batch<Arch> first = xsimd::fma(keep1, at(m), take1 * gradient);
    const Batch<Arch> second = xsimd::fma(keep2, at(v), take2 * gradient * gradient);
    put(first, m);
    put(second, v);
    put(at(p) - quotient<Arch>(length * first, xsimd::fma(root<Arch>(second), correction, floor)), p);
  }
}

}  // namespace
}  // namespace engine::simd
