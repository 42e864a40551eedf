#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ot {

/// Two measures' masses as integers with equal sums, in which transport is exact: no residues of rounding flow.
struct IntegerMasses {
  /// Uniform weights on both sides are exact; others are rounded to 1 / largest_total.
  IntegerMasses(std::span<const double> a, std::span<const double> b, std::int64_t largest_total);

  std::vector<std::int64_t> mu, nu;
  std::int64_t total;  ///< what stands for the mass 1
  std::int64_t least;  ///< flows below it are what rounding left

  double mass(std::int64_t flow) const { return static_cast<double>(flow) / static_cast<double>(total); }
};

}  // namespace ot
