// Affine functions of many points, taken block by block: the bounds of a sketch. Part of body.inl.
//
// A block holds block_size points with coordinate k of all of them side by side, so that a lane is a point. Several
// queries meet several vectors of a block at a time, which keeps their products in registers.
#pragma once

#include "engine/simd/vectors.inl"

namespace engine::simd {
namespace {

// acc[q][v] = h - sum_k query_q[k] points[k], for `queries` queries and `vectors` vectors of one block.
template <class Arch, int queries, int vectors>
void block_products(Index dimension, const real* points, const real* h, const real* query,
                    Batch<Arch> (&acc)[queries][vectors]) {
  for (int q = 0; q < queries; ++q)
    for (int v = 0; v < vectors; ++v) acc[q][v] = Batch<Arch>::load_aligned(h + v * width<Arch>);
  for (Index k = 0; k < dimension; ++k) {
    Batch<Arch> point[vectors];
    for (int v = 0; v < vectors; ++v) point[v] = Batch<Arch>::load_aligned(points + k * block_size + v * width<Arch>);
    for (int q = 0; q < queries; ++q) {
      const Batch<Arch> minus_coordinate(-query[q * dimension + k]);
      for (int v = 0; v < vectors; ++v) acc[q][v] = xsimd::fma(minus_coordinate, point[v], acc[q][v]);
    }
  }
}

// Six queries by four vectors fill AVX-512's 32 registers, six by two the 16 of SSE and AVX2.
template <class Arch>
constexpr int block_vectors = width<Arch> * sizeof(real) == 64 ? 4 : 2;

template <class Arch>
real lowest_lane(Batch<Arch> batch) {
  alignas(64) real lanes[width<Arch>];
  batch.store_aligned(lanes);
  for (Index half = width<Arch> / 2; half > 0; half /= 2)
    for (Index lane = 0; lane < half; ++lane)
      lanes[lane] = lanes[lane + half] < lanes[lane] ? lanes[lane + half] : lanes[lane];
  return lanes[0];
}

template <class Arch, int queries>
void query_minima(Index dimension, const real* points, const real* h, const real* query, real* minima, Index stride) {
  constexpr int vectors = block_vectors<Arch>;
  constexpr Index step = vectors * width<Arch>;
  static_assert(block_size % step == 0);
  Batch<Arch> least[queries];
  for (int q = 0; q < queries; ++q) least[q] = Batch<Arch>(infinity);
  for (Index first = 0; first < block_size; first += step) {
    Batch<Arch> acc[queries][vectors];
    block_products<Arch, queries, vectors>(dimension, points + first, h + first, query, acc);
    for (int q = 0; q < queries; ++q)
      for (int v = 0; v < vectors; ++v) least[q] = xsimd::min(least[q], acc[q][v]);
  }
  for (int q = 0; q < queries; ++q) minima[q * stride] = lowest_lane<Arch>(least[q]);
}

template <class Arch>
void block_minima(Index blocks, Index dimension, const real* points, const real* h, Index queries, const real* query,
                  real* minima, Index stride) {
  constexpr int group = 6;
  for (Index b = 0; b < blocks; ++b, points += dimension * block_size, h += block_size) {
    Index q = 0;
    for (; q + group <= queries; q += group)
      query_minima<Arch, group>(dimension, points, h, query + q * dimension, minima + q * stride + b, stride);
    for (; q < queries; ++q)
      query_minima<Arch, 1>(dimension, points, h, query + q * dimension, minima + q * stride + b, stride);
  }
}

template <class Arch>
void block_values(Index dimension, const real* points, const real* h, const real* query, real* values) {
  constexpr int vectors = block_vectors<Arch>;
  constexpr Index step = vectors * width<Arch>;
  for (Index first = 0; first < block_size; first += step) {
    Batch<Arch> acc[1][vectors];
    block_products<Arch, 1, vectors>(dimension, points + first, h + first, query, acc);
    for (int v = 0; v < vectors; ++v) acc[0][v].store_unaligned(values + first + v * width<Arch>);
  }
}

}  // namespace
}  // namespace engine::simd
