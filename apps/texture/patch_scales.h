#pragma once

#include <cstddef>
#include <deque>

#include "apps/texture/patch_scale.h"

namespace apps {

/// A multiple of this is halved so often: 2^(scales - 1).
std::int64_t halved_from(int scales);

/// The transport from an image's patches to an exemplar's at each scale of a Gaussian pyramid, the finest first: what a
/// texture is made by. Images are [1, C, H, W].
class PatchScales {
 public:
  /// The exemplar's values are between 0 and 1. Throws Error where a patch does not fit it at the coarsest scale.
  PatchScales(const engine::Tensor& exemplar, int scales, const PatchOptions& options);

  /// The sum of H over the scales from that on, `image` being at that scale and its edges wrapped, after the inner loop
  /// of each psi on it.
  engine::Var operator()(const engine::Var& image, std::size_t scale = 0);
  std::size_t size() const { return scales_.size(); }

 private:
  std::int64_t patch_;
  std::deque<PatchScale> scales_;
};

}  // namespace apps
