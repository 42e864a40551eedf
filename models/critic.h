#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/tape.h"
#include "models/layers.h"

namespace models {

/// A function f of points as a network, with leaky ReLU of slope 0.2 between its layers.
class Critic {
 public:
  Critic() = default;
  Critic(const Critic&) = delete;  // a copy would share its parameters' memory
  Critic& operator=(const Critic&) = delete;
  virtual ~Critic() = default;

  /// x [B, d] -> f(x) [B], or [B, outputs] where there are several. Throws Error for another shape.
  virtual engine::Var operator()(const engine::Var& x) = 0;
  virtual std::vector<Parameter> parameters() = 0;
};

/// Linear layers. Parameters are called `critic.0.weight`, `critic.0.bias`, `critic.2.weight`, ...
class MlpCritic : public Critic {
 public:
  /// `sizes` runs from the points' dimension to the outputs; {d, 1} is a linear function. Throws Error for a size below
  /// 1.
  explicit MlpCritic(const std::vector<std::int64_t>& sizes, std::uint64_t seed, const std::string& name = "critic");

  engine::Var operator()(const engine::Var& x) override;
  std::vector<Parameter> parameters() override;

 private:
  std::string name_;
  std::vector<Linear> layers_;
};

/// The images that a ConvCritic tells apart, and its sizes.
struct ConvCriticOptions {
  std::int64_t height = 28, width = 28, image_channels = 1;
  std::vector<std::int64_t> channels{};  ///< of the hidden images, from the largest on; empty: conv_critic_channels()
  bool batch_norm = false;               ///< after each convolution but the first
  std::int64_t outputs = 1;
};

/// By default those of the Dcgan of such images, backwards: for 28x28 64, 128, 256.
std::vector<std::int64_t> conv_critic_channels(std::int64_t height, std::int64_t width);

/// The Dcgan backwards: convolutions of stride 2 through the sides of dcgan_stages(), with a bias or batch norm, by the
/// statistics of the batch it is given, and a linear layer to the outputs. In an nn.Sequential's names: for 28x28
/// `critic.0.weight`, `critic.0.bias`, `critic.2.weight`, ..., `critic.7.weight`, `critic.7.bias`; batch norms count as
/// layers. (Radford et al., 2016, has no batch norm after the first convolution.)
class ConvCritic : public Critic {
 public:
  /// Throws Error as dcgan_stages() does, and for another number of channels than there are hidden images.
  explicit ConvCritic(const ConvCriticOptions& options, std::uint64_t seed, const std::string& name = "critic");

  engine::Var operator()(const engine::Var& x) override;
  std::vector<Parameter> parameters() override;

 private:
  ConvCriticOptions options_;
  std::string name_;
  std::vector<Conv2d> convolutions_;
  std::vector<engine::Var> biases_;  // of each convolution without a norm
  std::vector<BatchNorm2d> norms_;
  std::vector<Linear> last_;  // one
};

}  // namespace models
