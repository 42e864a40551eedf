#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensor.h"
#include "ot/target.h"

namespace ot {

/// Products of a batch with a target's 8-bit points through integers, which a CPU with 8-bit dot products (VNNI)
/// multiplies four times as fast as floats: n digits take n quarters of the time of a product in float.
///
/// A row a of the batch is rounded to n 8-bit digits around its mid-range c: a = a^ + e, where a^ = c + step (256^(n-1)
/// d_1 + ... + d_n) with d_s in [-128, 127], and step = max |a - c| / (127 256^(n-1)), hence |e_k| <= step / 2. Then
/// a.(y - mean) = a^.(y - mean) + e.(y - mean), of which the first term is computed: digits and bytes are multiplied
/// exactly in 32-bit integers, so that beside the rounding of the result to float the error is at most
/// ||e|| ||y - mean||.
class ByteProducts {
 public:
  /// Whether the points are 8-bit and the CPU has the instructions.
  static bool available(const Target& target);

  /// Prepares the batch a [B, d]. The target must outlive it; it must be available().
  ByteProducts(const Target& target, const engine::Tensor& a, int digits);

  /// How far the products of row i are off at most, rounding included.
  double error_bound(std::int64_t i) const;
  /// How far they are off, typically: the root mean square of e.(y - mean), if the e_k are spread evenly over
  /// [-step / 2, step / 2], for the row with the longest step and the root mean square of ||y - mean||.
  static double typical_error(const Target& target, const engine::Tensor& a, int digits);

  /// out[(i - begin) stride + l] = a^_i.(y_{first + l} - mean) for rows begin..end-1 and l < count; NaN where a_i is
  /// not finite.
  void multiply(std::int64_t begin, std::int64_t end, std::int64_t first, std::int64_t count, real* out,
                std::int64_t stride) const;

  /// e_i.(y_j - mean), what multiply() leaves out.
  real missed(std::int64_t i, std::int64_t j) const;

 private:
  void round_row(std::int64_t i, const real* a);

  const Target& target_;
  int digits_;
  std::vector<std::int8_t> rows_;               // [B, digits, padded_bytes(d)]
  std::vector<real> scale_, shift_, slope_;     // a^.(y - mean) of the sums over digits and bytes, and over bytes
  engine::Tensor rest_;                         // [B, d], e / 255
  std::vector<real> rest_along_mean_;           // e.mean
  std::vector<double> rest_lengths_;            // ||e||
  double longest_point_ = 0, mean_length_ = 0;  // the largest ||y - mean||, and ||mean||
  std::vector<double> sizes_;                   // of what a product is summed from, in units of ||y||
};

}  // namespace ot
