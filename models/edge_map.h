#pragma once

#include <cstdint>

#include "engine/tape.h"

namespace models {

/// What a cost may see of images: their pixels, and beside them how sharp they are in each cell of cell x cell pixels,
///
///     phi(x) = (x, e(x)),  e(x) in a cell = weight sqrt(sum over its pixels of |grad x|^2 + delta^2),
///
/// with Sobel's derivatives as the gradient, zeros beyond the border, and a channel by itself. (These see nothing of a
/// texture that changes from each pixel to the next, by which a generator would show edges where it has none.)
///
/// The point that is nearest on average to several others is their mean, and a mean of unlike images is a blurred one.
/// Under |phi(x) - phi(y)|^2 it is not: the gradients of images whose strokes lie somewhat differently cancel in their
/// mean, and spread, but not their squares, which the best x has to show. (e is much as the first order of a scattering
/// transform, with the finest filters alone; Bruna and Mallat, "Invariant scattering convolution networks", 2013.)
struct EdgeMap {
  static constexpr std::int64_t cell = 4;
  static constexpr double delta = 0.1;  ///< rounds the root off near 0, below what an edge comes to

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
