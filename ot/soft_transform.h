#pragma once

#include <memory>
#include <span>
#include <vector>

#include "ot/transformed.h"

namespace ot {

/// A c-transform for lambda > 0 in two halves: its values are known, and its terms are held for the rest.
class SoftTransform {
 public:
  virtual ~SoftTransform() = default;

  /// The values, [B].
  virtual std::vector<double> values() const = 0;
  /// Gradient and mass, as they are wanted, where the responsibilities of row i add up to shares[i] in place of 1, as
  /// those of some of a measure's points do. Called once.
  virtual CTransform distribute(std::span<const double> shares, Wanted wanted) = 0;
};

}  // namespace ot
