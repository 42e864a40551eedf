// Kernels that return one value for all elements. Part of body.inl.
#pragma once

#include "engine/simd/elementwise.inl"

namespace engine::simd {
namespace {

// ---- Reductions.

template <class Arch>
real sum(Index n, const real* x) {
  return total<Arch>(
      n, [](Batch<Arch> s, Batch<Arch> v) { return s + v; }, x);
}

template <class Arch>
real dot(Index n, const real* a, const real* b) {
  return total<Arch>(
      n, [](Batch<Arch> s, Batch<Arch> u, Batch<Arch> v) { return xsimd::fma(u, v, s); }, a, b);
}

template <class Arch>
real sum_abs_difference(Index n, const real* a, const real* b) {
  return total<Arch>(
      n, [](Batch<Arch> s, Batch<Arch> u, Batch<Arch> v) { return s + xsimd::abs(u - v); }, a, b);
}

template <class Arch>
real sum_exp(Index n, real shift, const real* x) {
  const Batch<Arch> origin(shift);
  return total<Arch>(
      n, [=](Batch<Arch> s, Batch<Arch> v) { return s + xsimd::exp(v - origin); }, x);
}

template <class Arch>
real max(Index n, const real* x) {
  constexpr Index w = width<Arch>;
  Batch<Arch> m0(-infinity), m1(-infinity);
  auto nan = xsimd::isnan(m0);  // v > m is false for NaN; and so, in xsimd 8.1 with AVX-512, is v != v
  const auto include = [&nan](Batch<Arch>& m, Batch<Arch> v) {
    m = xsimd::select(v > m, v, m);
    nan = nan | xsimd::isnan(v);
  };
  Index i = 0;
  for (; i + 2 * w <= n; i += 2 * w) {
    include(m0, load<Arch>(x + i));
    include(m1, load<Arch>(x + i + w));
  }
  for (; i < n; i += w) include(m0, load_first<Arch>(n - i, x + i, -infinity));
  if (xsimd::any(nan)) return std::numeric_limits<real>::quiet_NaN();
  include(m0, m1);
  alignas(64) real lanes[w];
  m0.store_aligned(lanes);
  real result = lanes[0];
  for (Index lane = 1; lane < w; ++lane) result = lanes[lane] > result ? lanes[lane] : result;
  return result;
}

// ---- Distances. Squares are summed in double, in as many sums side by side as two vectors of real hold.

template <class Arch>
double squared_distance(Index n, const real* __restrict x, const real* __restrict y) {
  constexpr Index lanes = 2 * width<Arch>;
  double sums[lanes] = {};
  Index i = 0;
  for (; i + lanes <= n; i += lanes)
    for (Index lane = 0; lane < lanes; ++lane) {
      const real difference = x[i + lane] - y[i + lane];
      sums[lane] += static_cast<double>(difference) * static_cast<double>(difference);
    }
  for (; i < n; ++i) {
    const real difference = x[i] - y[i];
    sums[0] += static_cast<double>(difference) * static_cast<double>(difference);
  }
  for (Index half = lanes / 2; half > 0; half /= 2)
    for (Index lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  return sums[0];
}

template <class Arch>
double squared_distance_bytes(Index n, const real* x, real unit, const std::uint8_t* y) {
  constexpr Index block = 1024;
  alignas(64) real converted[block];
  double result = 0;
  for (Index i = 0; i < n; i += block) {
    const Index count = n - i < block ? n - i : block;
    from_bytes<Arch>(count, unit, y + i, converted);
    result += squared_distance<Arch>(count, x + i, converted);
  }
  return result;
}

}  // namespace
}  // namespace engine::simd
