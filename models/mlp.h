#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/generator.h"
#include "models/layers.h"

namespace models {

/// The sizes of an Mlp; the defaults are the paper's.
struct MlpOptions {
  std::vector<std::int64_t> sizes{100, 256, 512, 1024, 784};  ///< latent dimension, hidden sizes, output size
  double slope = 0.2;                                         ///< of the leaky ReLU between layers, below zero
  engine::Activation last = engine::Activation::sigmoid();    ///< after the last layer
};

/// The fully connected generator: linear layers with leaky ReLU between them and, by default, a sigmoid at the end, so
/// that its points lie in (0, 1)^d. Parameters are called `generator.0.weight`, `generator.0.bias`,
/// `generator.2.weight`, ...
class Mlp : public Generator {
 public:
  /// Throws Error for fewer than two sizes or a size below 1.
  explicit Mlp(const MlpOptions& options, std::uint64_t seed, const std::string& name = "generator");

  engine::Var operator()(const engine::Var& z) override;
  std::vector<Parameter> parameters() override;
  /// The mean is taken into [0.01, 0.99], for tanh [-0.98, 0.98], which is reached with a gradient that still moves it.
  void start_at(const engine::Tensor& mean) override;
  void train(bool) override {}
  std::vector<std::string> pytorch() const override;
  bool rows_apart() const override { return true; }
  std::int64_t latent_dimension() const override { return options_.sizes.front(); }
  std::int64_t output_size() const override { return options_.sizes.back(); }

 private:
  /// Of a layer's sums.
  engine::Activation after(const Linear& layer) const;

  MlpOptions options_;
  std::string name_;
  std::vector<Linear> layers_;
};

}  // namespace models
