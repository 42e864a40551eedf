#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/simd/kernels.h"
#include "engine/tensor.h"
#include "ot/digit_rows.h"
#include "ot/target.h"

namespace ot {

/// Squared distances from a batch to single 8-bit points of a target, through integers: several times as fast as
/// Target::squared_distance(), and exact but for one rounding of the batch.
///
/// A row x of the batch is rounded to the multiples of a step in all the digits that a float product takes
/// (engine::simd::Digits): x = x^ + e with |e_k| <= step / 2, step = max |x_k| / (2^(bits - 1) - 1) / 2^(bits (most -
/// 1)). x^.y is an integer times step / 255, and ||y||^2 an integer over 255^2, so that ||x||^2 + ||y||^2 - 2 x^.y is
/// as accurate as double; with x in place of x^ it would be less by 2 e.y.
class ByteDistances {
 public:
  /// Whether the points are 8-bit and the CPU has the instructions.
  static bool available(const Target& target);
  /// ||y_j||^2 255^2 for all points.
  static std::vector<std::int64_t> squared_norms(const Target& target);

  /// Prepares the batch x [B, d], which is finite. The target and its squared norms must outlive it.
  ByteDistances(const Target& target, const std::vector<std::int64_t>& squared_norms, const engine::Tensor& x);

  /// The root mean square of 2 e.y for the row of the longest step, if the e_k are spread evenly.
  double typical_error() const;
  /// out[f] = ||x_i - y_j||^2 for j = points[f], up to that error.
  void squared(std::int64_t i, std::span<const std::int32_t> points, double* out) const;

 private:
  void round_row(std::int64_t i, const real* x);

  const Target& target_;
  const std::vector<std::int64_t>& point_norms_;
  engine::simd::Digits layout_;
  DigitRows digits_;
  std::vector<double> steps_, squared_norms_;  // [B]
};

}  // namespace ot
