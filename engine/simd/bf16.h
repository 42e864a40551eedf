#pragma once

#include <cstdint>

#include "engine/real.h"
#include "engine/simd/kernels.h"

namespace engine::simd {

/// How many columns of b bf16 products take at once.
inline constexpr std::int64_t panel_columns = 64;

/// Two bfloat16 numbers, the halves of floats: the earlier one in the lower 16 bits.
using Bf16Pair = std::uint32_t;

/// Products of numbers rounded to bfloat16, 8 significant bits in float's range, summed in float: twice as many a cycle
/// as in float. Arrays may be unaligned, and are read and written no further than said.
struct Bf16Kernels {
  /// y holds x_0, x_1, ... rounded to the nearest (of equally near ones the even), a zero after them if n is odd
  void (*round)(std::int64_t n, const real* x, Bf16Pair* y);
  /// y_i = the pair of x_i and z_i, rounded
  void (*pair)(std::int64_t n, const real* x, const real* z, Bf16Pair* y);
  /// y_ji = x_ij for x [rows, columns], the rows stride_x and stride_y apart
  void (*transpose)(std::int64_t rows, std::int64_t columns, const Bf16Pair* x, std::int64_t stride_x, Bf16Pair* y,
                    std::int64_t stride_y);
  /// c = a b, or c += a b if `add`: a [rows, pairs], its rows one after the other; b a panel, [pairs, columns] with its
  /// rows columns apart, rounded up to a multiple of 16; c [rows, columns], its rows stride apart; columns <=
  /// panel_columns. Every element is one sum, in an order that depends on the pairs alone.
  void (*multiply)(std::int64_t rows, std::int64_t columns, std::int64_t pairs, const Bf16Pair* a, const Bf16Pair* b,
                   bool add, real* c, std::int64_t stride);
};

/// The kernels of the level in use, null where it has none.
const Bf16Kernels* bf16_kernels();

/// The kernels of one level: of vnni those of AVX-512's bf16 instructions. Null where this CPU lacks them, for other
/// levels, and in double.
const Bf16Kernels* bf16_kernels_of(Level level);

}  // namespace engine::simd
