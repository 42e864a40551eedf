#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/generator.h"
#include "models/layers.h"

namespace models {

/// One transposed convolution of a Dcgan.
struct DcganStage {
  std::int64_t height, width;  ///< of the images that it makes
  engine::PerAxis kernel;
  engine::Stride stride;
};

/// The stages that lead from 1x1 to images of this size. Along each axis they follow backwards from its side s: the
/// side before it is
///     s' = (s - 1) / 2 for odd s, s / 2 + 1 for even s, and 1 at least,
/// which kernel 3 and stride 2 bring to 2 s' + 1; the c = 2 s' + 1 - s <= 3 that are too many are cropped, by a padding
/// of (c + 1) / 2 and an output padding of c mod 2. There are as many of these stages as bring the longer side to 5 or
/// less, and at least two. Before them a first stage makes the sides that are left, by a kernel of just that size.
/// 28x28 comes to the paper's 1 -> 3 -> 7 -> 15 -> 28, the last with padding 2 and output padding 1. Throws Error,
/// naming `name` and the size, unless both sides are Dcgan::smallest_side to largest_side.
std::vector<DcganStage> dcgan_stages(std::int64_t height, std::int64_t width, const std::string& name = "generator");

/// The channels that a Dcgan's hidden images have by default: 256, and half of it at each stage, down to 16. All stages
/// are thus about as much work.
std::vector<std::int64_t> dcgan_channels(std::int64_t height, std::int64_t width);

/// The sizes of a Dcgan; the defaults are the paper's.
struct DcganOptions {
  std::int64_t latent = 100;
  std::vector<std::int64_t> channels{};  ///< of the hidden images, one a stage but the last; empty: dcgan_channels()
  std::int64_t image_channels = 1;
  std::int64_t image_height = 28, image_width = 28;
  engine::Activation last = engine::Activation::sigmoid();  ///< after the last stage
};

/// The convolutional generator (Radford et al., 2016): transposed convolutions by dcgan_stages(), batch norm and ReLU
/// between them, by default a sigmoid at the end. An output row is an image as data sets hold it: value (row, column,
/// channel) is element (width row + column) image_channels + channel. Parameters are called `generator.0.weight`
/// (convolution), `generator.1.weight`, `generator.1.bias` (batch norm), `generator.3.weight`, ..., for 28x28 to
/// `generator.9.weight`.
class Dcgan : public Generator {
 public:
  static constexpr std::int64_t smallest_side = 8, largest_side = 256;

  /// Throws Error as dcgan_stages() does, for another number of channels than the stages take, or a size below 1.
  explicit Dcgan(const DcganOptions& options, std::uint64_t seed, const std::string& name = "generator");

  engine::Var operator()(const engine::Var& z) override;
  std::vector<Parameter> parameters() override;
  std::vector<State> buffers() override;
  void train(bool on) override { training_ = on; }
  void settle(const engine::Tensor& z) override;
  bool rows_apart() const override { return !training_; }
  /// Its input is z as [B, latent dimension, 1, 1], its output [B, channels, height, width].
  std::vector<std::string> pytorch() const override;
  std::int64_t latent_dimension() const override { return options_.latent; }
  std::int64_t output_size() const override;

 private:
  DcganOptions options_;
  std::string name_;
  std::vector<ConvTranspose2d> convolutions_;
  std::vector<BatchNorm2d> norms_;  // one after each convolution but the last
  bool training_ = true;
};

}  // namespace models
