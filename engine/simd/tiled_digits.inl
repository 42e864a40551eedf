// Products of 8-bit points with numbers of a few digits, by AMX's tiles. Part of amx.cpp.
//
// Coordinates come by fours, a word each. A tile holds 16 words of each of 16 points or queries: of a few blocks those
// words that are not 0 for all points, as most are at the border of images that are like each other. Tiles of points
// are put together for all queries, and tiles of 16 queries for all points.
#pragma once

#include <immintrin.h>

#include <algorithm>

#include "engine/simd/bytes.inl"
#include "engine/simd/kernels.h"
#include "engine/simd/tiles.inl"
#include "engine/simd/transpose_words.inl"

namespace engine::simd {
namespace {

using Tile = std::int8_t[tile_rows][tile_bytes];

// How many tiles of points, by `vectors`, and of a digit of queries there are at a time, and of how many blocks.
constexpr Index most_steps = 64, most_blocks = 4;

constexpr Index words_in_row(Index n) {
  return digits_of_8_bits.padded(n) / 4;
}

// A block begins with a bit for each word, whether it is not 0 for all points. The points follow: word after word those
// of 16 points, then those of the next 16.
using Mask = std::uint64_t;
constexpr Index bits = 64, most_masks = most_digit_coordinates / 4 / bits;

const std::uint8_t* words_of_points(Index n, const std::uint8_t* block, Index v) {
  return block + digits_of_8_bits.list(n) + v * words_in_row(n) * tile_bytes;
}

void interleave_bytes(Index n, const std::uint8_t* const* rows, std::uint8_t* block, real* sums) {
  const Index words = words_in_row(n);
  std::uint8_t* const points = block + digits_of_8_bits.list(n);
  const auto put = [&](Index v, Index word, __m512i of_points) {
    _mm512_store_si512(points + (v * words + word) * tile_bytes, of_points);
  };
  interleave(n, rows, put, sums);
  auto* const masks = reinterpret_cast<Mask*>(block);
  for (Index first = 0; first < words; first += bits) {
    Mask mask = 0;
    for (Index word = first; word < std::min(words, first + bits); ++word) {
      __m512i any = _mm512_setzero_si512();
      for (Index v = 0; v < vectors; ++v)
        any = _mm512_or_si512(any, _mm512_load_si512(words_of_points(n, block, v) + word * tile_bytes));
      mask |= Mask{_mm512_test_epi32_mask(any, any) != 0} << (word - first);
    }
    masks[first / bits] = mask;
  }
}

// The words that a tile takes of a row: `count` of the 16 from `first` on and the 16 from `second` on.
struct Step {
  std::int32_t first, second, count;
  std::int32_t words[lanes];

  Index word(Index w) const { return words[w] < lanes ? first + words[w] : second + words[w] - lanes; }
  __m512i of(const std::int8_t* row) const {
    return _mm512_permutex2var_epi32(_mm512_loadu_si512(row + 4 * static_cast<Index>(first)), _mm512_loadu_si512(words),
                                     _mm512_loadu_si512(row + 4 * static_cast<Index>(second)));
  }
};

// Covers the words of which some point of the blocks is not 0; returns the number of steps.
Index find_steps(Index n, Index blocks, const DigitBlock* block, Step* steps) {
  const auto words = static_cast<std::int32_t>(words_in_row(n));
  Mask masks[most_masks] = {};
  for (Index b = 0; b < blocks; ++b)
    for (Index m = 0; m * bits < words; ++m) masks[m] |= reinterpret_cast<const Mask*>(block[b].points)[m];
  const auto has = [&](std::int32_t word) { return static_cast<std::int32_t>(masks[word / bits] >> word % bits & 1); };
  Index count = 0;
  for (std::int32_t word = 0; word < words;) {
    if (!has(word)) {
      ++word;
      continue;
    }
    Step& step = steps[count++];
    step = {.first = std::min(word, words - lanes), .second = 0, .count = 0, .words = {}};
    step.second = std::min(step.first + lanes, words - lanes);
    const std::int32_t end = step.second + lanes;
    for (; word < end && step.count < lanes; ++word) {
      step.words[step.count] = word < step.first + lanes ? word - step.first : word - step.second + lanes;
      step.count += has(word);
    }
  }
  return count;
}

// Tiles whose rows are of a word of 16 points each.
void gather_points(Index n, const std::uint8_t* block, Index steps, const Step* step, Tile* tiles) {
  for (Index v = 0; v < vectors; ++v) {
    const std::uint8_t* const points = words_of_points(n, block, v);
    for (Index s = 0; s < steps; ++s, ++tiles)
      for (Index w = 0; w < lanes; ++w) {
        const bool present = w < step[s].count;
        _mm512_store_si512((*tiles)[w],
                           present ? _mm512_load_si512(points + step[s].word(w) * tile_bytes) : _mm512_setzero_si512());
      }
  }
}

// Tiles whose rows are of a query each.
void gather_queries(Index queries, const std::int32_t* found, Index row, const std::int8_t* query, Index steps,
                    const Step* step, Tile* tiles) {
  for (Index q = 0; q < queries; ++q)
    for (Index s = 0; s < steps; ++s) _mm512_store_si512(tiles[s][q], step[s].of(query + found[q] * row));
}

// The sums of one digit of 16 queries with a block.
using Sums = std::int32_t[tile_rows][block_size];

// Those of one or two groups, each a digit of some queries, with 32 of the points, or what is added to them.
template <int groups>
void sum_up(bool add, Index steps, const Tile (*query)[most_steps], const Tile* points, std::int32_t* sums) {
  if (add)
    load_sums<groups, 2>(sums, sizeof(Sums) / tile_rows);
  else
    clear_sums<groups, 2>();
  for (Index s = 0; s < steps; ++s)
    add_step<OfDigitsAndBytes, groups, 2>({query[0][s], query[groups - 1][s]}, tile_bytes,
                                          {points[s], points[steps + s]}, tile_bytes);
  store_sums<groups, 2>(sums, sizeof(Sums) / tile_rows);
}

// Queries are cut into parts of as many, the last one perhaps with some of the one before. Groups are the digits of a
// part, or of a single digit those of two parts.
template <int digits>
void products(Index n, Index blocks, const DigitBlock* block, Index queries, const std::int32_t* found,
              const ScaledRows& rows, real* out, Index stride) {
  constexpr int parts_at_once = digits == 1 ? 2 : 1, most_groups = parts_at_once * digits;
  Step all_steps[most_digit_coordinates / tile_bytes];
  const Index steps = find_steps(n, blocks, block, all_steps), together = most_steps / blocks;
  const Index parts = (queries + tile_rows - 1) / tile_rows, count = (queries + parts - 1) / parts;
  alignas(64) Tile points[most_steps * vectors], of_query[most_groups][most_steps];
  alignas(64) Sums sums[most_groups];
  start_tiles(Shapes(count, count));
  for (Index part = 0; part < parts; part += parts_at_once) {
    const int groups = static_cast<int>(std::min<Index>(parts - part, parts_at_once)) * digits;
    const auto first = [&](int g) { return std::min((part + g / digits) * count, queries - count); };
    for (Index begin = 0; begin == 0 || begin < steps; begin += together) {
      const Step* const step = all_steps + begin;
      const Index length = std::min(together, steps - begin);
      if (part == 0 || steps > together)
        for (Index b = 0; b < blocks; ++b)
          gather_points(n, block[b].points, length, step, points + b * vectors * length);
      for (int g = 0; g < groups; ++g)
        gather_queries(count, found + first(g), digits_of_8_bits.row(n),
                       rows.digits + g % digits * digits_of_8_bits.plane(n), length, step, of_query[g]);
      for (Index b = 0; b < blocks; ++b) {
        for (Index v = 0; v < vectors; v += 2) {
          const Tile* const of_two = points + (b * vectors + v) * length;
          int g = 0;
          for (; g + 2 <= groups; g += 2) sum_up<2>(begin > 0, length, of_query + g, of_two, &sums[g][0][v * lanes]);
          if (g < groups) sum_up<1>(begin > 0, length, of_query + g, of_two, &sums[g][0][v * lanes]);
        }
        if (begin + together < steps) continue;
        for (int g = 0; g < groups; g += digits)
          for (Index r = first(g); r < first(g) + count; ++r)
            for (Index l = 0; l < block_size; l += lanes) {
              __m512i of_digits[digits];
              for (int s = 0; s < digits; ++s) of_digits[s] = _mm512_load_si512(&sums[g + s][r - first(g)][l]);
              const std::int32_t q = found[r];
              write_products(of_digits, rows.scale[q], rows.shift[q], rows.slope[q], block[b].sums + l,
                             out + r * stride + b * block_size + l);
            }
      }
    }
  }
  end_tiles();
}

// A tile takes no longer for all queries than for some, so that all groups are as if they were wanted.
void digit_products(Index n, Index blocks, const DigitBlock* block, Index queries, const std::int32_t* found,
                    const std::uint8_t*, int count, const ScaledRows& rows, real* out, Index stride) {
  if (queries == 0) return;
  const auto run = count == 1 ? products<1> : count == 2 ? products<2> : products<3>;
  const Index steps = digits_of_8_bits.padded(n) / tile_bytes;
  const Index most = std::clamp<Index>(most_steps / steps, 1, most_blocks);
  for (Index b = 0; b < blocks; b += most)
    run(n, std::min(most, blocks - b), block + b, queries, found, rows, out + b * block_size, stride);
}

}  // namespace
}  // namespace engine::simd
