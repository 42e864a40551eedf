#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/generator.h"
#include "models/layers.h"

namespace models {

/// The sizes of a Dcgan; the defaults are the paper's.
struct DcganOptions {
  std::int64_t latent = 100;
  std::array<std::int64_t, 3> channels{256, 128, 64};  ///< of the hidden images: 3x3, 7x7, 15x15
  std::int64_t image_channels = 1;
  std::int64_t image_height = 28, image_width = 28;  ///< the only size there is
};

/// The convolutional generator (Radford et al., 2016), for 28x28 images: four transposed convolutions with kernel 3 and
/// stride 2, 1x1 -> 3x3 -> 7x7 -> 15x15 -> 28x28 (the last with padding 2 and output padding 1), batch norm and ReLU
/// between them, a sigmoid at the end. An output row is an image as data sets hold it: value (row, column, channel) is
/// element (28 row + column) image_channels + channel. Parameters are called `generator.0.weight` (convolution),
/// `generator.1.weight`, `generator.1.bias` (batch norm), `generator.3.weight`, ..., `generator.9.weight`.
class Dcgan : public Generator {
 public:
  /// Throws Error for images that are not 28x28, naming their size, or a size below 1.
  explicit Dcgan(const DcganOptions& options, std::uint64_t seed, const std::string& name = "generator");

  engine::Var operator()(const engine::Var& z) override;
  std::vector<Parameter> parameters() override;
  std::vector<State> buffers() override;
  void train(bool on) override { training_ = on; }
  void settle(const engine::Tensor& z) override;
  bool rows_apart() const override { return !training_; }
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
