// Vectors of one architecture, and the two loops that most kernels are. Part of body.inl.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include <xsimd/xsimd.hpp>

#include "engine/simd/kernels.h"

namespace engine::simd {
namespace {

using Index = std::int64_t;
constexpr real infinity = std::numeric_limits<real>::infinity();

template <class Arch>
using Batch = xsimd::batch<real, Arch>;

template <class Arch>
constexpr Index width = static_cast<Index>(Batch<Arch>::size);

// ---- Loading and storing whole vectors and the first `count` lanes of one.

template <class Arch>
Batch<Arch> load(const real* x) {
  return Batch<Arch>::load_unaligned(x);
}

template <class Arch>
Batch<Arch> load_first(Index count, const real* x, real fill = 0) {
  alignas(64) real lanes[width<Arch>];
  for (Index i = 0; i < width<Arch>; ++i) lanes[i] = i < count ? x[i] : fill;
  return Batch<Arch>::load_aligned(lanes);
}

template <class Arch>
void store_first(Index count, Batch<Arch> batch, real* y) {
  alignas(64) real lanes[width<Arch>];
  batch.store_aligned(lanes);
  for (Index i = 0; i < count; ++i) y[i] = lanes[i];
}

// ---- What a level may have to do in its own way.

template <class Arch>
Batch<Arch> quotient(Batch<Arch> a, Batch<Arch> b) {
  return a / b;
}

template <class Arch>
Batch<Arch> root(Batch<Arch> x) {
  return xsimd::sqrt(x);
}

// e^x, and 0 below least_term; NaN stays.
template <class Arch>
Batch<Arch> term(Batch<Arch> x) {
  const Batch<Arch> e = xsimd::exp(x);
  return xsimd::select(e < Batch<Arch>(least_term), Batch<Arch>(real(0)), e);
}

// ---- The two loops.

// y_i = f(x_i...); an `x` may be `y`.
template <class Arch, class Function, class... Input>
void map(Index n, real* y, Function f, const Input*... x) {
  constexpr Index w = width<Arch>;
  Index i = 0;
  for (; i + 4 * w <= n; i += 4 * w) {
    const Batch<Arch> y0 = f(load<Arch>(x + i)...);
    const Batch<Arch> y1 = f(load<Arch>(x + i + w)...);
    const Batch<Arch> y2 = f(load<Arch>(x + i + 2 * w)...);
    const Batch<Arch> y3 = f(load<Arch>(x + i + 3 * w)...);
    y0.store_unaligned(y + i);
    y1.store_unaligned(y + i + w);
    y2.store_unaligned(y + i + 2 * w);
    y3.store_unaligned(y + i + 3 * w);
  }
  for (; i + w <= n; i += w) f(load<Arch>(x + i)...).store_unaligned(y + i);
  if (i < n) store_first<Arch>(n - i, f(load_first<Arch>(n - i, x + i)...), y + i);
}

template <class Arch>
real sum_of_lanes(Batch<Arch> batch) {
  constexpr Index w = width<Arch>;
  alignas(64) real lanes[w];
  batch.store_aligned(lanes);
  for (Index half = w / 2; half > 0; half /= 2)
    for (Index lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  return lanes[0];
}

// sum_i f(x_i...), where add(sum, x...) adds a vector of terms to a vector of sums. Four sums hide the latency of an
// addition and shorten the chains of rounding errors.
template <class Arch, class Add, class... Input>
real total(Index n, Add add, const Input*... x) {
  constexpr Index w = width<Arch>;
  Batch<Arch> s0(real(0)), s1(real(0)), s2(real(0)), s3(real(0));
  Index i = 0;
  for (; i + 4 * w <= n; i += 4 * w) {
    s0 = add(s0, load<Arch>(x + i)...);
    s1 = add(s1, load<Arch>(x + i + w)...);
    s2 = add(s2, load<Arch>(x + i + 2 * w)...);
    s3 = add(s3, load<Arch>(x + i + 3 * w)...);
  }
  for (; i + w <= n; i += w) s0 = add(s0, load<Arch>(x + i)...);
  real result = sum_of_lanes<Arch>((s0 + s1) + (s2 + s3));
  if (i < n) {  // the padding's terms need not be zero: leave them out
    alignas(64) real lanes[w];
    add(Batch<Arch>(real(0)), load_first<Arch>(n - i, x + i)...).store_aligned(lanes);
    for (Index lane = 0; lane < n - i; ++lane) result += lanes[lane];
  }
  return result;
}

}  // namespace
}  // namespace engine::simd
