#pragma once

#include <cstdint>

#include "engine/tape.h"

namespace models {

/// What a cost may see of images: their pixels, and beside them how much edge there is in each cell of cell x cell
/// pixels,
///
///     phi(x) = (x, e(x)),  e(x) in a cell = weight / cell  sum over its pixels of sqrt(|grad x|^2 + delta^2),
///
/// with differences to the right and to below as the gradient, zeros beyond the border, and a channel by itself.
///
/// The point that is nearest on average to several others is their mean, and a mean of unlike images is a blurred one.
/// Under |phi(x) - phi(y)|^2 it is not: where edges of the images stand in somewhat different places, those of the mean
/// cancel, but not their amounts, which the best x has to show. (e is the first order of a scattering transform, with
/// the finest filters alone; Bruna and Mallat, 2013.)
struct EdgeMap {
  static constexpr std::int64_t cell = 4;
  static constexpr double delta = 0.03;  ///< rounds the tip of the root off, below what an edge is

  std::int64_t height, width, channels;
  double weight;

  /// The dimension of phi(x).
  std::int64_t output_size() const;
  /// x [B, height * width * channels], as data sets hold images, -> [B, output_size()]. Throws Error for another shape.
  engine::Var operator()(const engine::Var& x) const;

 private:
  std::int64_t cells() const;
};

}  // namespace models
