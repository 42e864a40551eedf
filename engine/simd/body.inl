// The kernels of every level, written once. Included by one file a level, which is compiled for that level's
// instructions; everything here is in an unnamed namespace and calls no function of another header that is not a
// template on the architecture, because the linker keeps one copy of a shared inline function, perhaps this one, and
// an older CPU would stop at its instructions.
//
// An element's value does not depend on its place in an array: the last n % width elements are padded to a whole
// vector and take the same path.

#include <cmath>
#include <cstdint>
#include <limits>

#include <xsimd/xsimd.hpp>

#include "engine/simd/levels.h"

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
  alignas(64) real lanes[w];
  ((s0 + s1) + (s2 + s3)).store_aligned(lanes);
  for (Index half = w / 2; half > 0; half /= 2)
    for (Index lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  real result = lanes[0];
  if (i < n) {  // the padding's terms need not be zero: leave them out
    add(Batch<Arch>(real(0)), load_first<Arch>(n - i, x + i)...).store_aligned(lanes);
    for (Index lane = 0; lane < n - i; ++lane) result += lanes[lane];
  }
  return result;
}

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

// ---- Softmin over affine values.

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

// e^((shift - offset - scale product) rate)
template <class Arch>
auto responsibility(real scale, real shift, real rate) {
  const Batch<Arch> factor(scale), origin(shift), slope(rate);
  return [=](Batch<Arch> offset, Batch<Arch> product) {
    return xsimd::exp((origin - xsimd::fma(factor, product, offset)) * slope);
  };
}

template <class Arch>
real sum_exp_affine(Index n, const real* offset, real scale, const real* product, real shift, real rate) {
  const auto term = responsibility<Arch>(scale, shift, rate);
  const auto add = [term](Batch<Arch> s, Batch<Arch> o, Batch<Arch> p) { return s + term(o, p); };
  return total<Arch>(n, add, offset, product);
}

template <class Arch>
void exp_affine(Index n, const real* offset, real scale, const real* product, real shift, real rate, real* y) {
  map<Arch>(n, y, responsibility<Arch>(scale, shift, rate), offset, product);
}

// ---- 8-bit points. xsimd 8.1 converts bytes one by one; compilers do better with plain loops.

template <class Arch>
void from_bytes(Index n, real a, const std::uint8_t* __restrict x, real* __restrict y) {
  for (Index i = 0; i < n; ++i) y[i] = a * static_cast<real>(x[i]);
}

template <class Arch>
void axpy_bytes(Index n, real a, const std::uint8_t* __restrict x, real* __restrict y) {
  for (Index i = 0; i < n; ++i) y[i] += a * static_cast<real>(x[i]);
}

template <class Arch>
real dot_bytes(Index n, const real* a, const std::uint8_t* b) {
  constexpr Index block = 1024;
  alignas(64) real converted[block];
  real result = 0;
  for (Index i = 0; i < n; i += block) {
    const Index count = n - i < block ? n - i : block;
    from_bytes<Arch>(count, 1, b + i, converted);
    result += dot<Arch>(count, a + i, converted);
  }
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

#include "engine/simd/blocks.inl"

namespace engine::simd {
namespace {

template <class Arch>
constexpr Kernels table(Level level) {
  return {.level = level,
          .exp = exp<Arch>,
          .log = log<Arch>,
          .sqrt = sqrt<Arch>,
          .abs = abs<Arch>,
          .sigmoid = sigmoid<Arch>,
          .tanh = tanh<Arch>,
          .softplus = softplus<Arch>,
          .leaky_relu = leaky_relu<Arch>,
          .add = add<Arch>,
          .sub = sub<Arch>,
          .mul = mul<Arch>,
          .div = div<Arch>,
          .leaky_relu_gradient = leaky_relu_gradient<Arch>,
          .sigmoid_gradient = sigmoid_gradient<Arch>,
          .tanh_gradient = tanh_gradient<Arch>,
          .scale = scale<Arch>,
          .axpy = axpy<Arch>,
          .sum = sum<Arch>,
          .dot = dot<Arch>,
          .max = max<Arch>,
          .sum_exp = sum_exp<Arch>,
          .min_affine = min_affine<Arch>,
          .sum_exp_affine = sum_exp_affine<Arch>,
          .exp_affine = exp_affine<Arch>,
          .from_bytes = from_bytes<Arch>,
          .dot_bytes = dot_bytes<Arch>,
          .axpy_bytes = axpy_bytes<Arch>,
          .squared_distance = squared_distance<Arch>,
          .squared_distance_bytes = squared_distance_bytes<Arch>,
          .block_minima = block_minima<Arch>,
          .block_values = block_values<Arch>,
          .adam = adam<Arch>};
}

}  // namespace
}  // namespace engine::simd
