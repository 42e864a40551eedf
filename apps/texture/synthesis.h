#pragma once

#include <cstdint>
#include <optional>

#include "apps/texture/patch_scales.h"
#include "engine/optimizer.h"

namespace apps {

/// What a synthesis is to make, and how.
struct SynthesisOptions {
  std::int64_t height = 0, width = 0;
  int scales = 5;
  PatchOptions patch = {};
};

/// Makes an image whose patches have the law of an exemplar's at each of some scales of a Gaussian pyramid, by
/// Algorithm 1 with the image in the generator's place: the loss is the sum over scales of H. It starts with noise at
/// the coarsest scale, and with what came of a scale at the next finer one, where the coarser ones still count. Its
/// edges fit each other, so that it may be repeated, where its sizes are multiples of halved_from(scales); of others
/// the next multiples are made, and cut.
class Synthesis {
 public:
  /// The exemplar is [1, C, H, W], its values between 0 and 1. Throws Error where a patch does not fit it or the image
  /// at the coarsest scale.
  Synthesis(const engine::Tensor& exemplar, const SynthesisOptions& options);

  /// Steps of each psi, then one of Adam on the image; `done`, from 0 to 1, tells how far the work at this scale is,
  /// along which Adam's rate falls. Returns the loss before it.
  double step(double done);
  /// The number of the scale that is worked at, 0 for the finest.
  std::size_t scale() const { return scale_; }
  /// Goes to the next finer scale. False at the finest.
  bool refine();

  /// [1, C, height, width]: what there is, enlarged from a coarser scale.
  engine::Tensor image() const;

 private:
  double rate(double done) const;

  SynthesisOptions options_;
  PatchScales scales_;
  std::size_t scale_;
  engine::Var image_;  // at that scale
  std::optional<engine::Adam> adam_;
};

}  // namespace apps
