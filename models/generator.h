#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/tape.h"
#include "models/layers.h"

namespace models {

/// A network g_theta that maps latent draws z to points of the data space. New generators start in training mode.
class Generator {
 public:
  Generator() = default;
  Generator(const Generator&) = delete;  // a copy would share its parameters' memory
  Generator& operator=(const Generator&) = delete;
  virtual ~Generator() = default;

  /// z [B, latent_dimension()] -> [B, output_size()]. In training mode it may move buffers(), with or without a tape.
  /// Throws Error for another shape of z.
  virtual engine::Var operator()(const engine::Var& z) = 0;

  /// The parameters theta in a fixed order, for optimizers, `tape.watch(*p.variable)` and checkpoints.
  virtual std::vector<Parameter> parameters() = 0;
  /// What a checkpoint holds beside the parameters.
  virtual std::vector<State> buffers() { return {}; }
  /// Switches between training mode (batch statistics) and evaluation (running statistics).
  virtual void train(bool on) = 0;

  /// Where the last layer has a bias, sets it to make `mean` where its weights are 0, so that new points lie about it,
  /// [output_size()]. Throws Error for another shape.
  virtual void start_at(const engine::Tensor& mean) { (void)mean; }

  /// Gives buffers() the statistics of the points that z makes: for parameters that were not trained with them.
  virtual void settle(const engine::Tensor& z) { (void)z; }

  /// Whether a point depends on its own row of z alone, and neither on others nor on buffers that move, so that
  /// batches may be made together.
  virtual bool rows_apart() const = 0;

  /// An equal network in PyTorch: the layers of an nn.Sequential in which the parameters have the places in their
  /// names, such as `nn.Linear(100, 256)`, an activation a layer of its own.
  virtual std::vector<std::string> pytorch() const = 0;

  virtual std::int64_t latent_dimension() const = 0;
  virtual std::int64_t output_size() const = 0;
};

}  // namespace models
