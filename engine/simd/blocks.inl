// Affine functions of many points, taken block by block: the bounds of a sketch. Part of body.inl.
//
// A block holds block_size points with coordinate k of all of them side by side, so that a lane is a point. Several
// queries meet several vectors of a block at a time, which keeps their products in registers.
#pragma once

#include "engine/simd/vectors.inl"

namespace engine::simd {
namespace {

// acc[q][v] = sum_k query[q][k] points[k] - h, for `queries` queries and `vectors` vectors of one block. The sign is
// such that no coordinate has to be negated: with AVX-512 xsimd's fnma does that, in the units that multiply.
template <class Arch, int queries, int vectors>
void block_products(Index dimension, const real* points, const real* h, const real* const (&query)[queries],
                    Batch<Arch> (&acc)[queries][vectors]) {
  for (int q = 0; q < queries; ++q)
    for (int v = 0; v < vectors; ++v) acc[q][v] = -Batch<Arch>::load_aligned(h + v * width<Arch>);
  for (Index k = 0; k < dimension; ++k) {
    Batch<Arch> point[vectors];
    for (int v = 0; v < vectors; ++v) point[v] = Batch<Arch>::load_aligned(points + k * block_size + v * width<Arch>);
    for (int q = 0; q < queries; ++q) {
      const Batch<Arch> coordinate(query[q][k]);
      for (int v = 0; v < vectors; ++v) acc[q][v] = xsimd::fma(coordinate, point[v], acc[q][v]);
    }
  }
}

// Six queries by four vectors fill AVX-512's 32 registers, six by two the 16 of SSE and AVX2.
template <class Arch>
constexpr int block_vectors = width<Arch> * sizeof(real) == 64 ? 4 : 2;

// The least lane of each of four vectors. Zipping two vectors keeps their lanes apart while halving what is left of
// each.
template <class Arch>
void lowest_lanes(const Batch<Arch> (&group)[4], real* lowest, Index stride) {
  const auto halves = [](Batch<Arch> a, Batch<Arch> b) { return xsimd::min(xsimd::zip_lo(a, b), xsimd::zip_hi(a, b)); };
  constexpr Index w = width<Arch>;
  alignas(64) real lanes[4 * w];
  // In the end the lanes are of 0 1 2 3 0 1 2 3 ..., but not for doubles, whose zips may stay within 128 bits.
  if constexpr (sizeof(real) == sizeof(float)) {
    halves(halves(group[0], group[2]), halves(group[1], group[3])).store_aligned(lanes);
    for (Index g = 0; g < 4; ++g) {
      real least = lanes[g];
      for (Index i = 4; i < w; i += 4) least = lanes[i + g] < least ? lanes[i + g] : least;
      lowest[g * stride] = least;
    }
  } else {
    for (Index g = 0; g < 4; ++g) {
      group[g].store_aligned(lanes);
      real least = lanes[0];
      for (Index i = 1; i < w; ++i) least = lanes[i] < least ? lanes[i] : least;
      lowest[g * stride] = least;
    }
  }
}

template <class Arch, int queries>
void query_minima(Index dimension, const real* points, const real* h, const std::int32_t* found, const real* query,
                  real* minima, Index stride) {
  constexpr int vectors = block_vectors<Arch>;
  constexpr Index step = vectors * width<Arch>;
  static_assert(groups_in_block == 4 && block_size % step == 0 && group_size % width<Arch> == 0);
  const real* row[queries];
  Batch<Arch> least[queries][groups_in_block];
  for (int q = 0; q < queries; ++q) {
    row[q] = query + found[q] * dimension;
    for (Batch<Arch>& group : least[q]) group = Batch<Arch>(infinity);
  }
  for (Index first = 0; first < block_size; first += step) {
    Batch<Arch> acc[queries][vectors];
    block_products<Arch, queries, vectors>(dimension, points + first, h + first, row, acc);
    for (int q = 0; q < queries; ++q)
      for (int v = 0; v < vectors; ++v) {
        Batch<Arch>& group = least[q][(first + v * width<Arch>) / group_size];
        group = xsimd::min(group, -acc[q][v]);
      }
  }
  for (int q = 0; q < queries; ++q) lowest_lanes<Arch>(least[q], minima + found[q], stride);
}

template <class Arch>
void group_minima(Index dimension, const real* points, const real* h, Index queries, const std::int32_t* found,
                  const real* query, real* minima, Index stride) {
  constexpr int together = 6;
  Index q = 0;
  for (; q + together <= queries; q += together)
    query_minima<Arch, together>(dimension, points, h, found + q, query, minima, stride);
  for (; q < queries; ++q) query_minima<Arch, 1>(dimension, points, h, found + q, query, minima, stride);
}

// A lane is a query. `vectors` of them, from query `first` on, meet one box at a time.
template <class Arch, int vectors>
void box_distances(Index boxes, Index dimension, const real* box, const real* offset, Index queries, const real* query,
                   Index first, real* bounds) {
  for (Index b = 0; b < boxes; ++b, box += 2 * dimension, bounds += queries) {
    Batch<Arch> sum[vectors];
    for (Batch<Arch>& part : sum) part = Batch<Arch>(real(0));
    for (Index k = 0; k < dimension; ++k) {
      const Batch<Arch> low(box[2 * k]), high(box[2 * k + 1]);
      for (int v = 0; v < vectors; ++v) {
        const Batch<Arch> x = load<Arch>(query + k * queries + first + v * width<Arch>);
        const Batch<Arch> gap = xsimd::max(xsimd::max(low - x, x - high), Batch<Arch>(real(0)));
        sum[v] = xsimd::fma(gap, gap, sum[v]);
      }
    }
    for (int v = 0; v < vectors; ++v)
      xsimd::fma(Batch<Arch>(real(0.5)), sum[v], Batch<Arch>(offset[b]))
          .store_unaligned(bounds + first + v * width<Arch>);
  }
}

template <class Arch>
void box_bounds(Index boxes, Index dimension, const real* box, const real* offset, Index queries, const real* query,
                real* bounds) {
  constexpr int together = 4;
  constexpr Index step = together * width<Arch>;
  Index q = 0;
  for (; q + step <= queries; q += step)
    box_distances<Arch, together>(boxes, dimension, box, offset, queries, query, q, bounds);
  for (; q < queries; q += width<Arch>)
    box_distances<Arch, 1>(boxes, dimension, box, offset, queries, query, q, bounds);
}

// Coordinates are summed by their remainder modulo `parts`, so that the additions do not wait for each other; negative
// values, as in block_products().
template <class Arch>
void group_values(Index dimension, const real* points, const real* h, const real* query, real* values) {
  constexpr int vectors = group_size / width<Arch>, parts = vectors < 4 ? 4 / vectors : 1;
  Batch<Arch> acc[parts][vectors];
  for (int part = 0; part < parts; ++part)
    for (int v = 0; v < vectors; ++v)
      acc[part][v] = part == 0 ? -Batch<Arch>::load_unaligned(h + v * width<Arch>) : Batch<Arch>(real(0));
  const auto include = [&](int part, Index k) {
    for (int v = 0; v < vectors; ++v) {
      const auto point = Batch<Arch>::load_unaligned(points + k * block_size + v * width<Arch>);
      acc[part][v] = xsimd::fma(Batch<Arch>(query[k]), point, acc[part][v]);
    }
  };
  Index k = 0;
  for (; k + parts <= dimension; k += parts)
    for (int part = 0; part < parts; ++part) include(part, k + part);
  for (; k < dimension; ++k) include(0, k);
  for (int v = 0; v < vectors; ++v) {
    for (int part = 1; part < parts; ++part) acc[0][v] = acc[0][v] + acc[part][v];
    (-acc[0][v]).store_unaligned(values + v * width<Arch>);
  }
}

}  // namespace
}  // namespace engine::simd
