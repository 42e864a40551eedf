// Softmin over affine values u_j = offset_j + scale product_j, the inner loops of c-transforms. Part of body.inl.
#pragma once

#include "engine/simd/vectors.inl"

namespace engine::simd {
namespace {

// The lowest of u_0..u_{n-1}, n at most 2^20, so that a real holds every index exactly.
template <class Arch>
Minimum min_affine_block(Index n, const real* offset, real scale, const real* product) {
  constexpr Index w = width<Arch>, unroll = 4;
  const Batch<Arch> factor(scale);
  Batch<Arch> lowest[unroll], place[unroll];  // of each lane, the least value and the round that met it first
  for (Index k = 0; k < unroll; ++k) {
    lowest[k] = Batch<Arch>(infinity);
    place[k] = Batch<Arch>(real(-1));
  }
  Batch<Arch> round(real(0));
  const Batch<Arch> one(real(1));
  const auto include = [&](Index k, Batch<Arch> o, Batch<Arch> p) {
    const Batch<Arch> u = xsimd::fma(factor, p, o);
    const auto less = u < lowest[k];  // false for NaN
    lowest[k] = xsimd::select(less, u, lowest[k]);
    place[k] = xsimd::select(less, round, place[k]);
  };
  Index i = 0;
  for (; i + unroll * w <= n; i += unroll * w, round += one)
    for (Index k = 0; k < unroll; ++k) include(k, load<Arch>(offset + i + k * w), load<Arch>(product + i + k * w));
  for (Index k = 0; i < n; i += w, ++k)
    include(k, load_first<Arch>(n - i, offset + i, infinity), load_first<Arch>(n - i, product + i));

  Minimum result{infinity, -1};
  for (Index k = 0; k < unroll; ++k) {
    alignas(64) real values[w], rounds[w];
    lowest[k].store_aligned(values);
    place[k].store_aligned(rounds);
    for (Index lane = 0; lane < w; ++lane) {
      if (rounds[lane] < 0) continue;
      const Index index = (static_cast<Index>(rounds[lane]) * unroll + k) * w + lane;
      if (values[lane] < result.value || (values[lane] == result.value && index < result.index))
        result = {values[lane], index};
    }
  }
  return result;
}

template <class Arch>
Minimum min_affine(Index n, const real* offset, real scale, const real* product) {
  constexpr Index block = Index{1} << 20;
  Minimum result{infinity, -1};
  for (Index i = 0; i < n; i += block) {
    const Minimum found = min_affine_block<Arch>(n - i < block ? n - i : block, offset + i, scale, product + i);
    if (found.value < result.value) result = {found.value, i + found.index};
  }
  return result;
}

template <class Arch>
Index find_affine(Index n, const real* offset, real scale, const real* product, real limit, std::int32_t* found) {
  constexpr Index w = width<Arch>;
  const Batch<Arch> factor(scale), highest(limit);
  Index count = 0;
  for (Index i = 0; i < n; i += w) {
    const Index lanes = n - i < w ? n - i : w;
    const auto o = lanes == w ? load<Arch>(offset + i) : load_first<Arch>(lanes, offset + i);
    const auto p = lanes == w ? load<Arch>(product + i) : load_first<Arch>(lanes, product + i);
    const Batch<Arch> u = xsimd::fma(factor, p, o);
    if (!xsimd::any(u <= highest)) continue;
    alignas(64) real values[w];
    u.store_aligned(values);
    for (Index lane = 0; lane < lanes; ++lane) {
      found[count] = static_cast<std::int32_t>(i + lane);
      count += values[lane] <= limit;
    }
  }
  return count;
}

template <class Arch>
real exp_affine(Index n, const real* offset, real scale, const real* product, real shift, real rate, real* y) {
  constexpr Index w = width<Arch>, unroll = 4;
  const Batch<Arch> factor(scale), origin(shift), slope(rate), zero(real(0));
  const auto term_of = [=](Batch<Arch> o, Batch<Arch> p) {
    return term<Arch>((origin - xsimd::fma(factor, p, o)) * slope);
  };
  Batch<Arch> sums[unroll] = {zero, zero, zero, zero};
  const auto include = [&](Index k, Index i) {
    const Batch<Arch> terms = term_of(load<Arch>(offset + i), load<Arch>(product + i));
    terms.store_unaligned(y + i);
    sums[k] = sums[k] + terms;
  };
  Index i = 0;
  for (; i + unroll * w <= n; i += unroll * w)
    for (Index k = 0; k < unroll; ++k) include(k, i + k * w);
  for (; i + w <= n; i += w) include(0, i);
  real sum = sum_of_lanes<Arch>((sums[0] + sums[1]) + (sums[2] + sums[3]));
  if (i < n)
    store_first<Arch>(n - i, term_of(load_first<Arch>(n - i, offset + i), load_first<Arch>(n - i, product + i)), y + i);
  for (; i < n; ++i) sum += y[i];
  return sum;
}

}  // namespace
}  // namespace engine::simd
