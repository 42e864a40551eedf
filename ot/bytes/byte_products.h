#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/pool.h"
#include "engine/simd/kernels.h"
#include "engine/tensor.h"
#include "ot/bytes/digit_rows.h"
#include "ot/target.h"

namespace ot {

/// Up to engine::simd::block_size points of a target, from anywhere in it, laid out to be multiplied by many rows.
class ByteBlock {
 public:
  /// The target must outlive it; ByteProducts must be available() for it before lay_out().
  explicit ByteBlock(const Target& target) : target_(target) {}

  void lay_out(std::span<const std::int64_t> points);

 private:
  friend class ByteProducts;
  friend class ByteBlocks;

  const Target& target_;
  engine::Buffer laid_out_;
  std::vector<std::uint8_t> no_point_;  // zeros in place of those that a block lacks
  real sums_[engine::simd::block_size];
};

/// The points of block b of engine::simd::block_size places in an order, fewer in the last one.
std::span<const std::int64_t> points_of_block(std::span<const std::int64_t> order, std::int64_t b);

/// The points of a target, block by block in some order, each block laid out when it is first asked for, and kept if
/// all of them fit into `most_kept` bytes.
class ByteBlocks {
 public:
  /// The target and the order must outlive it; ByteProducts must be available().
  ByteBlocks(const Target& target, std::span<const std::int64_t> order, std::int64_t most_kept = 1 << 26);

  std::span<const std::int64_t> order() const { return order_; }
  bool kept() const { return !blocks_.empty(); }
  /// Block b, laid out in `spare` if none is kept. Not for two threads at once for the same b.
  const ByteBlock& at(std::int64_t b, ByteBlock& spare);
  /// The time of laying a block out, over that of a row's products with the block; measured.
  double layout_time() const { return kept() ? 0 : 12; }

 private:
  std::span<const std::int64_t> order_;
  std::vector<ByteBlock> blocks_;
};

/// Products of a batch with a target's 8-bit points through integers. A product in float takes the time of four
/// products in one digit of 8 bits on a CPU with 8-bit dot products (VNNI, up to three digits), of two in one of 16
/// bits with AVX2 (up to two digits): engine::simd::Digits says which.
///
/// A row a of the batch is rounded once to N digits in base b around its mid-range c, a ~ c + step (b^(N-1) d_1 + ... +
/// d_N) with d_s in [-b/2, b/2) and step = max |a - c| / ((b/2 - 1) b^(N-1)): as fine as a float or finer. The first n
/// of them are a^, and a = a^ + e. Then a.(y - mean) = a^.(y - mean) + e.(y - mean). multiply() computes the first term
/// for all points: digits and bytes are multiplied exactly in integers, so that beside the rounding of sums to float
/// the error is at most ||e|| ||y - mean||.
class ByteProducts {
 public:
  /// How many blocks that are like each other are best multiplied at a time.
  static constexpr std::int64_t blocks_together = 4;

  /// Whether the points are 8-bit and the CPU has the instructions.
  static bool available(const Target& target);

  /// Prepares the batch a [B, d]. The target must outlive it; it must be available().
  ByteProducts(const Target& target, const engine::Tensor& a);

  /// N, how many digits are as fine as a float.
  int most_digits() const { return layout_.most; }
  int digits_of_16_bits() const { return 16 / layout_.bits; }

  /// How far the products of row i in so many digits are off at most, rounding included.
  double error_bound(std::int64_t i, int digits) const;
  /// How far they are off, typically: the root mean square of e.(y - mean), if the e_k are spread evenly over half a
  /// step of the last digit to both sides, for the root mean square of ||y - mean||.
  double typical_error(std::int64_t i, int digits) const;
  /// How far the rounding of sums to float alone puts products off, typically: about the root mean square, for points
  /// of the root mean square of ||y - mean|| whose products with the batch's longest row are as large as they can be.
  double typical_rounding() const;
  /// The fewest digits with which typical_error() puts the terms e^{-u / lambda} of all rows off by 2^-15 at most,
  /// relative to them, where u = ... - 2 scale a.y for the target's scale; most_digits() where none are so fine.
  int digits_of_terms(double lambda) const;

  /// out[(i - begin) stride + l] = a^_i.(y_j - mean) for rows begin..end-1, l < count and the point j at place first +
  /// l of the blocks' order, with a^ of so many digits; NaN where a_i is not finite. A block begins at `first`.
  void multiply(int digits, std::int64_t begin, std::int64_t end, ByteBlocks& blocks, std::int64_t first,
                std::int64_t count, real* out, std::int64_t stride) const;

  /// out[(r blocks + b) block_size + l] = a^_i.(y_bl - mean) for i = rows[r] and the points y_bl of some blocks, with
  /// a^ of so many digits. What lies beyond a block's points, up to block_size, is that of y = 0. -inf may stand for
  /// the products with group g of block b unless bit g of wanted[r blocks + b] is set, or `wanted` is empty.
  void multiply(int digits, std::span<const std::int32_t> rows, std::span<const ByteBlock* const> blocks, real* out,
                std::span<const std::uint8_t> wanted = {}) const;

 private:
  /// What stands in place of a with n digits: for each row of the batch a^.(y - mean) = scale (sum of digits and bytes)
  /// + slope (sum of bytes) + shift.
  struct Rounded {
    std::vector<real> scale, shift;
    std::vector<double> rest_lengths;  // ||e||
  };

  void round_row(std::int64_t i, const real* a);
  /// As the public one, while these points come to the cache, from which the next blocks are laid out.
  void multiply(int digits, std::span<const std::int32_t> rows, std::span<const ByteBlock* const> blocks,
                std::span<const std::uint8_t> wanted, std::span<const std::int64_t> next, real* out,
                std::int64_t stride) const;
  const Rounded& rounded(int digits) const { return rounded_[static_cast<std::size_t>(digits - 1)]; }

  const Target& target_;
  engine::simd::Digits layout_;
  double base_;
  DigitRows digits_;
  std::vector<Rounded> rounded_;              // to 1, 2, ... digits
  std::vector<real> slope_;                   // [B]
  std::vector<double> steps_, sizes_;         // sizes of what a product is summed from, per ||y||
  double mean_length_ = 0, sum_of_mean_ = 0;  // ||mean||, and the sum of its coordinates
};

}  // namespace ot
