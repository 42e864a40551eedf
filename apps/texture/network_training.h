#pragma once

#include <cstdint>
#include <vector>

#include "apps/texture/patch_scales.h"
#include "apps/texture/texture_network.h"
#include "engine/optimizer.h"

namespace apps {

/// Trains a TextureNetwork by Algorithm 1: each step makes an image of fresh noise, moves each psi on its patches, and
/// the network down the sum over scales of H.
class NetworkTraining {
 public:
  /// The exemplar is [1, C, H, W], its values between 0 and 1; images are made of its size, cut to a multiple of
  /// halved_from(scales). Throws Error where a patch does not fit the exemplar at the coarsest scale.
  NetworkTraining(const engine::Tensor& exemplar, int scales, const PatchOptions& options);

  /// `done`, from 0 to 1, tells how far the training is, along which Adam's rate falls. Returns the loss before it.
  double step(double done);
  /// As it is trained so far.
  TextureNetwork& network() { return network_; }

 private:
  std::uint64_t seed_, steps_ = 0;
  std::int64_t height_, width_;
  PatchScales loss_;
  TextureNetwork network_;
  std::vector<engine::Var*> parameters_;
  engine::Adam adam_;
};

}  // namespace apps
