#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "engine/real.h"

namespace engine::simd {

/// Instruction sets that the kernels are compiled for, each in its own file with its own compiler flags.
enum class Level { baseline, avx2, avx512, vnni, neon };

/// A minimum and the lowest index that attains it; value +inf and index -1 where no element is below +inf.
struct Minimum {
  real value;
  std::int64_t index;
};

/// Terms of a softmin below this are 0. Smaller ones, times a share or a weight, may lie below the normal numbers,
/// where a CPU takes a hundred times as long.
inline constexpr real least_term = sizeof(real) == sizeof(float) ? real(0x1p-94) : real(0x1p-766);

/// How many points group_minima and digit_products take together, and in how many groups.
inline constexpr std::int64_t block_size = 64, group_size = 16, groups_in_block = block_size / group_size;

/// The most coordinates of a point that is multiplied in digits, so that no 32-bit sum overflows.
inline constexpr std::int64_t most_digit_coordinates = 65536;

/// How a level multiplies 8-bit points with numbers of a few signed digits. Coordinates are padded with zeros to a
/// multiple. What kernel files call is always inlined.
struct Digits {
  int bits = 0;       ///< of a digit, 8 or 16; 0 where the level has no instruction for them, and in double
  int most = 0;       ///< digits of a number
  int together = 24;  ///< rows that are best multiplied at a time: they stay in the nearest cache
  int multiple = 4;   ///< that the padded number of coordinates is of
  [[gnu::always_inline]] constexpr std::int64_t padded(std::int64_t n) const {
    return (n + multiple - 1) / multiple * multiple;
  }
  /// Bytes of one digit of each of n coordinates, and of all digits: a row [most, padded(n)], the first digit first.
  [[gnu::always_inline]] constexpr std::int64_t plane(std::int64_t n) const { return padded(n) * bits / 8; }
  [[gnu::always_inline]] constexpr std::int64_t row(std::int64_t n) const { return most * plane(n); }
  /// Bytes of a group of points, after a list of those coordinates that are not 0 for all of them, and of a block.
  [[gnu::always_inline]] constexpr std::int64_t group(std::int64_t n) const { return list(n) + group_size * plane(n); }
  [[gnu::always_inline]] constexpr std::int64_t block(std::int64_t n) const { return groups_in_block * group(n); }
  /// Bytes of a list, a multiple of 64: how many entries there are, and up to padded(n) / 2 of them, in 32 bits.
  [[gnu::always_inline]] constexpr std::int64_t list(std::int64_t n) const {
    return (2 * padded(n) + 4 + 63) / 64 * 64;
  }
};

/// Points as interleave_bytes lays them out, and their sums.
struct DigitBlock {
  const std::uint8_t* points;
  const real* sums;
};

/// Rows of numbers in digits, one after the other, and what turns sums over the digits of row r into products.
struct ScaledRows {
  const std::int8_t* digits;
  const real *scale, *shift, *slope;  ///< of each row
};

/// What the first digits of a row's numbers leave out, e_k, in a sum over its coordinates.
struct Rest {
  double squares;   ///< sum e_k^2
  double products;  ///< sum e_k weight_k
};

/// The vector kernels of one level. Arrays may be unaligned and of any length n >= 0; outputs may be the same array as
/// an input, but must not overlap it otherwise. Sums run in a fixed order that depends on the level alone.
struct Kernels {
  Level level;

  // y_i = f(x_i), within 4 units of the last place. exp returns 0 below -87.68 (double: -708.39), where the true value
  // is not a normal number, and +inf from 88.38 (709.43) on; sigmoid, tanh and softplus overflow for no x.
  void (*exp)(std::int64_t n, const real* x, real* y);
  void (*log)(std::int64_t n, const real* x, real* y);
  void (*sqrt)(std::int64_t n, const real* x, real* y);
  void (*abs)(std::int64_t n, const real* x, real* y);
  void (*sigmoid)(std::int64_t n, const real* x, real* y);
  void (*tanh)(std::int64_t n, const real* x, real* y);
  void (*softplus)(std::int64_t n, const real* x, real* y);
  void (*leaky_relu)(std::int64_t n, real slope, const real* x, real* y);  ///< x > 0 ? x : slope x

  // c_i = a_i op b_i
  void (*add)(std::int64_t n, const real* a, const real* b, real* c);
  void (*sub)(std::int64_t n, const real* a, const real* b, real* c);
  void (*mul)(std::int64_t n, const real* a, const real* b, real* c);
  void (*div)(std::int64_t n, const real* a, const real* b, real* c);

  // Gradients fused into one pass.
  void (*leaky_relu_gradient)(std::int64_t n, real slope, const real* g, const real* x,
                              real* y);                                             ///< x > 0 ? g : slope g
  void (*sigmoid_gradient)(std::int64_t n, const real* g, const real* s, real* y);  ///< g s (1 - s)
  void (*tanh_gradient)(std::int64_t n, const real* g, const real* t, real* y);     ///< g (1 - t^2)

  // Scaling and accumulation.
  void (*scale)(std::int64_t n, real a, const real* x, real* y);  ///< y_i = a x_i
  void (*axpy)(std::int64_t n, real a, const real* x, real* y);   ///< y_i += a x_i
  /// y_i = (x_i - centre) factor + offset
  void (*standardise)(std::int64_t n, real centre, real factor, real offset, const real* x, real* y);

  // Reductions.
  real (*sum)(std::int64_t n, const real* x);
  real (*dot)(std::int64_t n, const real* a, const real* b);
  real (*sum_abs_difference)(std::int64_t n, const real* a, const real* b);  ///< sum |a_i - b_i|
  real (*max)(std::int64_t n, const real* x);                                ///< -inf for n = 0; NaN if any is
  real (*sum_exp)(std::int64_t n, real shift, const real* x);                ///< sum e^(x_i - shift)

  // Softmin over affine values u_j = offset_j + scale product_j, the inner loops of c-transforms. Offsets may be +inf.
  Minimum (*min_affine)(std::int64_t n, const real* offset, real scale, const real* product);
  /// Writes the j with u_j <= limit, in order, to `found`, which has room for n; returns how many there are.
  std::int64_t (*find_affine)(std::int64_t n, const real* offset, real scale, const real* product, real limit,
                              std::int32_t* found);
  /// y_j = e^((shift - u_j) rate), rate = 1 / lambda, and 0 below least_term: the responsibilities when shift is the
  /// softmin; y may be `product`. Returns sum y_j
  real (*exp_affine)(std::int64_t n, const real* offset, real scale, const real* product, real shift, real rate,
                     real* y);

  // 8-bit points.
  void (*from_bytes)(std::int64_t n, real a, const std::uint8_t* x, real* y);  ///< y_i = a x_i
  /// sums[q][k] += sum_l unit weight[q stride + l] points[l][k] over the bytes, [n], of block_size points, where unit
  /// weight is rounded to real, as is each sum before it is added; the faster the more weights are 0
  void (*add_weighted_bytes)(std::int64_t n, real unit, const std::uint8_t* const* points, std::int64_t rows,
                             const real* weight, std::int64_t stride, real* const* sums);

  // Distances by differences in real, whose squares are summed in double: accurate where x and y are close.
  double (*squared_distance)(std::int64_t n, const real* x, const real* y);  ///< sum (x_i - y_i)^2
  /// sum (x_i - unit y_i)^2, where unit y_i is rounded to real
  double (*squared_distance_bytes)(std::int64_t n, const real* x, real unit, const std::uint8_t* y);

  // In double, whatever real is. exp is 0 below -708.39 and +inf from 709.43 on.
  void (*precise_exp)(std::int64_t n, const double* x, double* y);  ///< y_i = e^x_i, within 4 units of the last place
  void (*precise_log)(std::int64_t n, const double* x, double* y);  ///< y_i = log x_i, likewise
  // Distances of many pairs by differences, in double too: of points x [rows, dimension] to groups of
  // group_size points, of which coordinate k of point l is y[k group_size + l]; writes out [rows, groups group_size].
  /// scale sum_k (x_k - y_k)^2
  void (*squared_distances)(std::int64_t rows, std::int64_t groups, std::int64_t dimension, const double* x,
                            const double* y, double scale, double* out);
  /// scale sum_k |x_k - y_k|
  void (*cityblock_distances)(std::int64_t rows, std::int64_t groups, std::int64_t dimension, const double* x,
                              const double* y, double scale, double* out);
  void (*reduce)(std::int64_t n, const double* x, double a, const double* b, real* y);  ///< y_i = x_i - a - b_i

  // Affine functions of points that stand in blocks of block_size: coordinate k < dimension of point l of a block is
  // points[k block_size + l], its offset h[l]; both 64-byte aligned. The value is h[l] - sum_k query_k point_k, which
  // errs by at most dimension + 1 units of roundoff of the sum of its terms' moduli.
  /// minima[g stride + q] = the least value of query q over group g of a block, for the q = found[0] < found[1] < ...
  /// of some queries [.., dimension]
  void (*group_minima)(std::int64_t dimension, const real* points, const real* h, std::int64_t queries,
                       const std::int32_t* found, const real* query, real* minima, std::int64_t stride);
  /// values[l] = the value of a query at point l of the group whose first point stands at `points`, its offset at h
  void (*group_values)(std::int64_t dimension, const real* points, const real* h, const real* query, real* values);

  /// bounds[b, q] = offset[b] + 1/2 sum_k max(low_bk - query[k, q], query[k, q] - high_bk, 0)^2, half the squared
  /// distances of queries [dimension, queries] to boxes [boxes, dimension, 2], the low and high ends of intervals;
  /// `queries` is a multiple of group_size
  void (*box_bounds)(std::int64_t boxes, std::int64_t dimension, const real* box, const real* offset,
                     std::int64_t queries, const real* query, real* bounds);

  // Products of 8-bit points with numbers of a few digits, exact in integers up to their last step. All null where
  // digits.bits is 0. The number of `count` digits in a row is a_k = sum_s 2^(bits (count - 1 - s)) row_sk.
  Digits digits;
  /// Writes the integers next to (x_k - centre) / step as the n numbers of a row; |x_k - centre| / step is at most
  /// 2^(bits most - 1) - 2^(bits (most - 1)), or step is 0 and all numbers are. rests[s] is of the first s digits, s <=
  /// most: e_k = x_k - centre - step 2^(bits (most - s)) a_k.
  void (*round_to_digits)(std::int64_t n, const real* x, double centre, double step, const real* weight,
                          std::int8_t* row, Rest* rests);
  /// Lays block_size points, rows[l] [n], out as digit_products reads them, 64-byte aligned, in digits.block(n) bytes,
  /// without most of the coordinates that are 0 for many of them, as those at an image's border are; sums_l = sum_k
  /// point_lk
  void (*interleave_bytes)(std::int64_t n, const std::uint8_t* const* rows, std::uint8_t* block, real* sums);
  /// out[q stride + b block_size + l] = scale_r sum_k a_rk point_bl,k + shift_r + slope_r sums_bl over the points of
  /// some blocks for r = found[q], q < queries, rounded to float, where a_r are the numbers of the first `count` digits
  /// of row r, and n <= most_digit_coordinates; the faster the more alike a group's points are. Where
  /// `wanted` is not null, -inf may stand for the products with group g of block b unless bit g of wanted[q blocks + b]
  /// is set.
  void (*digit_products)(std::int64_t n, std::int64_t blocks, const DigitBlock* block, std::int64_t queries,
                         const std::int32_t* found, const std::uint8_t* wanted, int count, const ScaledRows& rows,
                         real* out, std::int64_t stride);
  /// One Adam step in one pass: m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2,
  /// p -= rate m / (sqrt(v) root_correction + epsilon), where the caller folds 1 / (1 - beta1^t) into `rate` and sets
  /// root_correction = 1 / sqrt(1 - beta2^t).
  void (*adam)(std::int64_t n, real* p, real* m, real* v, const real* g, real rate, real beta1, real beta2,
               real root_correction, real epsilon);
};

/// The kernels in use: the highest level that the CPU has, capped by the environment variable
/// SEMIDUAL_SIMD=baseline|avx2|avx512|vnni|neon; chosen once. Throws Error for another value of the variable.
const Kernels& kernels();

/// The kernels of one level, null where this build or this CPU lacks it. For tests and benchmarks.
const Kernels* kernels_of(Level level);

/// The levels that this build and CPU have, lowest first.
std::vector<Level> levels();

std::string name(Level level);

}  // namespace engine::simd
