#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/tape.h"
#include "models/layers.h"

namespace apps {

/// A generator of textures of any size, after Ulyanov et al., "Texture networks" (2016), smaller: from the coarsest
/// scale to the finest, what came of the scale before, each pixel four times, and four channels of noise go through two
/// convolutions of 3x3 with batch norm and leaky ReLU; a convolution of 1x1 and a sigmoid make the colours. All is
/// wrapped at the edges, so that images may be repeated, and what is far apart is independent.
class TextureNetwork {
 public:
  /// Channels of images, 1 or 3; scales, at least 1.
  TextureNetwork(std::int64_t image_channels, int scales, std::uint64_t seed);

  /// [1, C, height, width], between 0 and 1, a function of the size, the seed and the number of the noise; of sizes
  /// that are no multiples of halved_from(scales) the next multiples are made, and cut. Throws Error for a size
  /// below 1.
  engine::Var operator()(std::int64_t height, std::int64_t width, std::uint64_t seed, std::uint64_t number);

  /// The same with the statistics that were noted, without a tape and several times as fast, to rounding.
  engine::Tensor image(std::int64_t height, std::int64_t width, std::uint64_t seed, std::uint64_t number) const;

  std::vector<models::Parameter> parameters();
  std::vector<models::State> buffers();
  /// Whether batch norms take the statistics of the image, and note them, or those that were noted.
  void train(bool on) { training_ = on; }

  std::int64_t image_channels() const { return image_channels_; }
  int scales() const { return static_cast<int>(blocks_.size()); }
  /// Values that an image takes at once, beside its own, a pixel.
  static constexpr std::int64_t values_per_pixel = 40;

 private:
  struct Block {
    models::Conv2d first, second;
    models::BatchNorm2d first_norm, second_norm;
  };

  std::int64_t image_channels_;
  std::vector<Block> blocks_;  // the coarsest first
  models::Conv2d colours_;
  bool training_ = true;
};

}  // namespace apps
