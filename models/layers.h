#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/ops/activation.h"
#include "engine/ops/convolution.h"
#include "engine/ops/linear.h"
#include "engine/tape.h"

namespace models {

/// A trained array under PyTorch's name for it, e.g. `generator.0.weight`. Points into its model, which must outlive
/// it.
struct Parameter {
  std::string name;
  engine::Var* variable;
};

/// An array that a checkpoint holds but no gradient moves: a batch norm's running statistics.
struct State {
  std::string name;
  engine::Tensor* tensor;
};

// Layers are plain structs: parameters under PyTorch's names and layouts, and operator(). A layer called `generator.0`
// names its parameters `generator.0.weight`, ... Copies of a layer share their parameters' memory, as tensors do.
// pytorch() is an equal layer in PyTorch, in the arguments of an nn.Sequential.

/// That of an activation, such as `nn.LeakyReLU(0.2)`; the identity has none.
std::string pytorch(const engine::Activation& activation);

/// A parameter as PyTorch draws it by default: uniform on [-1/sqrt(fan_in), 1/sqrt(fan_in)). Each parameter has its own
/// stream of random numbers, the FNV-1a hash of its name, so that it is a function of (seed, name, shape) alone.
engine::Tensor initial_parameter(const engine::Shape& shape, std::int64_t fan_in, std::uint64_t seed,
                                 const std::string& name);

/// activation(x weight^T + bias): x [B, inputs] -> [B, outputs], see engine::linear.
struct Linear {
  /// Throws Error for sizes below 1.
  Linear(std::string layer_name, std::int64_t inputs, std::int64_t outputs, std::uint64_t seed);
  engine::Var operator()(const engine::Var& x, const engine::Activation& activation = {}) const;
  std::vector<Parameter> parameters();
  std::string pytorch() const;

  std::string name;
  engine::Var weight;  ///< [outputs, inputs]
  engine::Var bias;    ///< [outputs]
};

/// Fully connected layers between the given sizes, named as in an nn.Sequential with an activation after each:
/// `name.0`, `name.2`, `name.4`, ... Throws Error for fewer than two sizes.
std::vector<Linear> linear_layers(const std::string& name, const std::vector<std::int64_t>& sizes, std::uint64_t seed);
/// The parameters of all the layers, in their order.
std::vector<Parameter> parameters_of(std::vector<Linear>& layers);

/// Convolution with a square kernel, without bias: x [B, inputs, H, W] -> [B, outputs, H', W'], or both with the batch
/// last, see engine::conv2d.
struct Conv2d {
  /// Throws Error for sizes below 1.
  Conv2d(std::string layer_name, std::int64_t inputs, std::int64_t outputs, std::int64_t kernel,
         engine::Stride stride_of_kernel, std::uint64_t seed);
  engine::Var operator()(const engine::Var& x, engine::Layout layout = engine::Layout::batch_first) const;
  std::vector<Parameter> parameters();

  std::string name;
  engine::Var weight;  ///< [outputs, inputs, kernel, kernel]
  engine::Stride stride;
};

/// Transposed convolution without bias: x [B, inputs, H, W] -> [B, outputs, H', W'], or both with
/// the batch last, see engine::conv_transpose2d. The initial bound's fan_in is outputs times the kernel's taps, as
/// PyTorch has it.
struct ConvTranspose2d {
  /// Throws Error for sizes below 1.
  ConvTranspose2d(std::string layer_name, std::int64_t inputs, std::int64_t outputs, engine::PerAxis kernel,
                  engine::Stride stride_of_kernel, std::uint64_t seed);
  engine::Var operator()(const engine::Var& x, engine::Layout layout = engine::Layout::batch_first) const;
  std::vector<Parameter> parameters();
  std::string pytorch() const;

  std::string name;
  engine::Var weight;  ///< [inputs, outputs, kernel.rows, kernel.columns]
  engine::Stride stride;
};

/// activation(batch normalisation of x), [B, channels, H, W] or [channels, H, W, B], see engine::batch_norm2d_train.
/// Starts as the identity: weight 1, bias 0, running_mean 0, running_var 1.
struct BatchNorm2d {
  /// Throws Error for fewer than one channel.
  BatchNorm2d(std::string layer_name, std::int64_t channels);
  /// With `training` the batch's own statistics serve, and the running ones move towards them on every call, on a tape
  /// or not; without it the running ones serve.
  engine::Var operator()(const engine::Var& x, bool training, engine::Layout layout = engine::Layout::batch_first,
                         const engine::Activation& activation = {});
  std::vector<Parameter> parameters();
  std::vector<State> buffers();
  std::string pytorch() const;

  std::string name;
  engine::Var weight, bias;                  ///< [channels]
  engine::Tensor running_mean, running_var;  ///< [channels]
  double momentum = 0.1;                     ///< the share of a batch's statistics in the running ones
};

}  // namespace models
