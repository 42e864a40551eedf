#pragma once

#include <cstdint>
#include <memory>

#include "engine/random.h"
#include "engine/tape.h"
#include "ot/ascent/dual_solver.h"
#include "ot/potential.h"
#include "ot/target.h"
#include "ot/transformer.h"

namespace apps {

/// How the patches of images are compared.
struct PatchOptions {
  std::int64_t size = 4;        ///< a patch has size x size pixels
  std::int64_t points = 20000;  ///< patches of the exemplar that are the target at a scale, at most
  int inner = 10;               ///< steps of psi before each step of the image
  std::uint64_t seed = 0;
};

/// The transport from the patches of an image to those of an exemplar, at one scale of both, with a psi of its own: the
/// c-transform of each patch by the mean over its values of squared differences, lambda = 0. Images are [1, C, H, W].
class PatchScale {
 public:
  /// `number` is that of the scale: all random draws are functions of it, the seed and the calls before. Throws Error
  /// where no patch fits the exemplar.
  PatchScale(const engine::Tensor& exemplar, const PatchOptions& options, int number);

  /// The inner loop: ASGD (102) on psi, each step on drawn patches of the image.
  void ascend(const engine::Tensor& image);
  /// H (99) of the image's patches. Of a large image only those on a lattice with an offset that is drawn: they leave
  /// out no pixel but at its edges.
  engine::Var loss(const engine::Var& image);

  const ot::Target& target() const { return target_; }

 private:
  engine::Random next_random() { return {options_.seed, first_stream_ + draws_++}; }

  PatchOptions options_;
  std::uint64_t first_stream_, draws_ = 0;
  ot::Target target_;
  ot::Transformer transform_;
  ot::VectorPotential psi_;
  std::unique_ptr<ot::DualSolver> solver_;
};

}  // namespace apps
