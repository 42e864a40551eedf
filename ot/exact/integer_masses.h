#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ot {

/// Costs, masses and potentials of exact transport: sums and comparisons of these are exact.
using Integer = __int128;

/// Two measures' masses as integers with equal sums, in which transport is exact: no residues of rounding flow.
struct IntegerMasses {
  static constexpr int bits = 91;  ///< sums are 2^bits at most

  /// Where the points of each side that weigh something weigh the same, it is exact; else weights are rounded to 2^-91,
  /// and the largest of a side takes what its sum in double is off by. Both sides must have a positive weight.
  IntegerMasses(std::span<const double> a, std::span<const double> b);

  std::vector<Integer> mu, nu;
  Integer total;  ///< what stands for the mass 1

  double mass(Integer flow) const { return static_cast<double>(flow) / static_cast<double>(total); }
};

}  // namespace ot
