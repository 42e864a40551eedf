#pragma once

#include <cstdint>
#include <vector>

#include "engine/random.h"
#include "engine/tensor.h"
#include "ot/target.h"

namespace ot {

/// Some points of a target, which stand for all in one step: the mini-batch c-transform of Mallasto, Frellsen, Boomsma
/// and Feragen, "(q, p)-Wasserstein GANs" (2019), for data that are too many to visit. H on a subset is not H: a
/// minimum over fewer points is larger.
struct Subset {
  /// Throws Error as Target::subset() does.
  Subset(const Target& whole, std::vector<std::int64_t> which);
  /// `count` points of the target's support, every such set equally likely: a function of the random numbers' address.
  /// Throws Error where the support has fewer.
  Subset(const Target& whole, std::int64_t count, const engine::Random& random);

  /// The values [J] at the points, [M].
  engine::Tensor gather(const engine::Tensor& values) const;
  /// Writes the values [M] to where the points are in `all` [J].
  void scatter(const engine::Tensor& values, engine::Tensor& all) const;

  std::vector<std::int64_t> points;  ///< their indices, [M]
  Target target;                     ///< the measure on them
};

}  // namespace ot
