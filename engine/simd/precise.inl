// What is computed in double, whatever real is. Part of body.inl.
#pragma once

#include "engine/simd/vectors.inl"

namespace engine::simd {
namespace {

template <class Arch>
using Doubles = xsimd::batch<double, Arch>;

// y_i = f(x_i)
template <class Arch, class Function>
void map_doubles(Index n, const double* x, double* y, Function f) {
  constexpr Index w = static_cast<Index>(Doubles<Arch>::size);
  Index i = 0;
  for (; i + w <= n; i += w) f(Doubles<Arch>::load_unaligned(x + i)).store_unaligned(y + i);
  if (i == n) return;
  alignas(64) double lanes[w];
  for (Index l = 0; l < w; ++l) lanes[l] = i + l < n ? x[i + l] : 1;
  f(Doubles<Arch>::load_aligned(lanes)).store_aligned(lanes);
  for (Index l = 0; i + l < n; ++l) y[i + l] = lanes[l];
}

// The exponent in base 2 must fit into an integer on the way, even where the result is 0 or infinite.
template <class Arch>
void precise_exp(Index n, const double* x, double* y) {
  const Doubles<Arch> low(-1000), high(1000);
  map_doubles<Arch>(n, x, y, [&](Doubles<Arch> v) { return xsimd::exp(xsimd::clip(v, low, high)); });
}

template <class Arch>
void precise_log(Index n, const double* x, double* y) {
  map_doubles<Arch>(n, x, y, [](Doubles<Arch> v) { return xsimd::log(v); });
}

template <class Arch>
struct Square {
  static Doubles<Arch> add(Doubles<Arch> sum, Doubles<Arch> difference) {
    return xsimd::fma(difference, difference, sum);
  }
};

template <class Arch>
struct Modulus {
  static Doubles<Arch> add(Doubles<Arch> sum, Doubles<Arch> difference) { return sum + xsimd::abs(difference); }
};

// Adds the terms of coordinates begin..end-1 to the sums at `out`, of `rows` points x and all points of a group: a lane
// is a point of the group. They are 0 before the first coordinate, and multiplied by `scale` after the last.
template <class Arch, class Term, int rows>
void add_distances(Index dimension, Index begin, Index end, const double* x, const double* group, double scale,
                   double* out, Index stride) {
  constexpr Index w = static_cast<Index>(Doubles<Arch>::size);
  constexpr int vectors = 2;
  static_assert(group_size % (vectors * w) == 0);
  const Doubles<Arch> factor(end == dimension ? scale : 1);
  for (Index first = 0; first < group_size; first += vectors * w) {
    Doubles<Arch> sum[rows][vectors];
    for (int r = 0; r < rows; ++r)
      for (int v = 0; v < vectors; ++v)
        sum[r][v] = begin == 0 ? Doubles<Arch>(0.0) : Doubles<Arch>::load_unaligned(out + r * stride + first + v * w);
    for (Index k = begin; k < end; ++k) {
      Doubles<Arch> y[vectors];
      for (int v = 0; v < vectors; ++v) y[v] = Doubles<Arch>::load_unaligned(group + k * group_size + first + v * w);
      for (int r = 0; r < rows; ++r) {
        const Doubles<Arch> coordinate(x[r * dimension + k]);
        for (int v = 0; v < vectors; ++v) sum[r][v] = Term::add(sum[r][v], coordinate - y[v]);
      }
    }
    for (int r = 0; r < rows; ++r)
      for (int v = 0; v < vectors; ++v) (factor * sum[r][v]).store_unaligned(out + r * stride + first + v * w);
  }
}

// Some coordinates of a group stay in the nearest cache while all x pass by.
template <class Arch, class Term>
void distances(Index rows, Index groups, Index dimension, const double* x, const double* y, double scale, double* out) {
  constexpr int together = 4;
  constexpr Index at_a_time = 128;
  const Index stride = groups * group_size;
  for (Index g = 0; g < groups; ++g, y += group_size * dimension, out += group_size) {
    Index begin = 0;
    do {
      const Index end = dimension - begin < at_a_time ? dimension : begin + at_a_time;
      Index r = 0;
      for (; r + together <= rows; r += together)
        add_distances<Arch, Term, together>(dimension, begin, end, x + r * dimension, y, scale, out + r * stride,
                                            stride);
      for (; r < rows; ++r)
        add_distances<Arch, Term, 1>(dimension, begin, end, x + r * dimension, y, scale, out + r * stride, stride);
      begin = end;
    } while (begin < dimension);
  }
}

template <class Arch>
void squared_distances(Index rows, Index groups, Index dimension, const double* x, const double* y, double scale,
                       double* out) {
  distances<Arch, Square<Arch>>(rows, groups, dimension, x, y, scale, out);
}

template <class Arch>
void cityblock_distances(Index rows, Index groups, Index dimension, const double* x, const double* y, double scale,
                         double* out) {
  distances<Arch, Modulus<Arch>>(rows, groups, dimension, x, y, scale, out);
}

template <class Arch>
void reduce(Index n, const double* __restrict x, double a, const double* __restrict b, real* __restrict y) {
  for (Index i = 0; i < n; ++i) y[i] = static_cast<real>(x[i] - a - b[i]);
}

}  // namespace
}  // namespace engine::simd
