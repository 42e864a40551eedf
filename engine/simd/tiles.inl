// AMX's tiles, registers of up to 16 rows of 64 bytes, of which an instruction multiplies two. Part of amx.cpp.
#pragma once

#include <cstdint>

namespace engine::simd {
namespace {

using Index = std::int64_t;

constexpr Index tile_rows = 16, tile_bytes = 64;

// Two groups of rows meet two vectors of columns: their sums are the tiles 0 to 3, group after group, the rows of the
// left matrix 4 and 5, the columns of the right one 6 and 7.
struct alignas(64) Shapes {
  std::uint8_t palette = 1, start = 0, reserved[14] = {};
  std::uint16_t bytes[16] = {};
  std::uint8_t rows[16] = {};

  Shapes(Index first, Index second) {
    const auto shape = [&](int tile, Index count) {
      rows[tile] = static_cast<std::uint8_t>(count);
      bytes[tile] = count > 0 ? tile_bytes : 0;
    };
    for (const int tile : {0, 1, 4}) shape(tile, first);
    for (const int tile : {2, 3, 5}) shape(tile, second);
    for (const int tile : {6, 7}) shape(tile, tile_rows);
  }
};

// In place of the intrinsics, of which GCC 12's don't tell that they read and write memory.
void start_tiles(const Shapes& shapes) {
  asm volatile("ldtilecfg %0" : : "m"(shapes) : "memory");
}

void end_tiles() {
  asm volatile("tilerelease" : : : "memory");
}

template <int tile>
void clear() {
  asm volatile("tilezero %%tmm%c0" : : "i"(tile) : "memory");
}

template <int tile>
void load(const void* from, Index stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(tile) : "memory");
}

template <int tile>
void store(void* to, Index stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(tile) : "memory");
}

// The sums of one or two groups and one or two vectors: in memory, rows so many bytes apart, one group after the other.
template <int groups, int vectors>
void clear_sums() {
  clear<0>();
  if constexpr (vectors == 2) clear<1>();
  if constexpr (groups == 2) clear<2>();
  if constexpr (groups == 2 && vectors == 2) clear<3>();
}

template <int groups, int vectors>
void load_sums(const void* from, Index stride) {
  const auto* const first = static_cast<const std::uint8_t*>(from);
  load<0>(first, stride);
  if constexpr (vectors == 2) load<1>(first + tile_bytes, stride);
  if constexpr (groups == 2) load<2>(first + tile_rows * stride, stride);
  if constexpr (groups == 2 && vectors == 2) load<3>(first + tile_rows * stride + tile_bytes, stride);
}

template <int groups, int vectors>
void store_sums(void* to, Index stride) {
  auto* const first = static_cast<std::uint8_t*>(to);
  store<0>(first, stride);
  if constexpr (vectors == 2) store<1>(first + tile_bytes, stride);
  if constexpr (groups == 2) store<2>(first + tile_rows * stride, stride);
  if constexpr (groups == 2 && vectors == 2) store<3>(first + tile_rows * stride + tile_bytes, stride);
}

struct OfBf16 {
  template <int sums, int left, int right>
  static void add_products() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sums), "i"(left), "i"(right) : "memory");
  }
};

struct OfDigitsAndBytes {
  template <int sums, int left, int right>
  static void add_products() {
    asm volatile("tdpbsud %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sums), "i"(left), "i"(right) : "memory");
  }
};

// Adds the products of one step: 64 bytes of each row of the left matrix, 16 rows of the right one.
template <class Of, int groups, int vectors>
void add_step(const void* const (&left)[2], Index left_stride, const void* const (&right)[2], Index right_stride) {
  load<4>(left[0], left_stride);
  if constexpr (groups == 2) load<5>(left[1], left_stride);
  load<6>(right[0], right_stride);
  if constexpr (vectors == 2) load<7>(right[1], right_stride);
  Of::template add_products<0, 4, 6>();
  if constexpr (vectors == 2) Of::template add_products<1, 4, 7>();
  if constexpr (groups == 2) Of::template add_products<2, 5, 6>();
  if constexpr (groups == 2 && vectors == 2) Of::template add_products<3, 5, 7>();
}

}  // namespace
}  // namespace engine::simd
