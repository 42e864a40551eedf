#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "apps/latents.h"
#include "apps/learn/averaged_generator.h"
#include "apps/learn/class_dual.h"
#include "apps/learn/cost_space.h"
#include "apps/options.h"
#include "engine/optimizer.h"
#include "models/generator.h"
#include "ot/ascent/dual_solver.h"
#include "ot/subset.h"
#include "ot/target.h"
#include "ot/transformer.h"

namespace apps {

/// Algorithm 1 of the paper: min over theta, max over psi, of H(psi, theta) (98), by an inner loop of K steps on psi
/// before each step on theta.
class Alternate {
 public:
  /// Starts at psi_0 = 0 (a network: its initial weights) and the generator's present theta. Target and generator must
  /// outlive it. Throws Error where a step length is refused, the sizes of generator and target differ, or steps are to
  /// see more points than there are.
  /// With --average, `mean` is another generator of the same kind. Points of the generator are mapped to where the
  /// target's are by `space`, where there is one. With `classes` of the target's points the generator is a conditional
  /// one, each class of which is learned from its own points: a batch has rows of each by its share in nu.
  Alternate(const TrainOptions& options, const ot::Target& target, models::Generator& generator,
            std::unique_ptr<models::Generator> mean = nullptr, const CostSpace* space = nullptr,
            const PointsOfClasses& classes = {});

  /// Whether steps of the warm-up are left: --dual-warmup steps on psi at the first theta, an inner loop of its own
  /// before the first iteration.
  bool warming_up() const { return warmup_ < options_.dual_warmup; }
  /// One of these steps.
  void warm_up();

  /// One iteration, once the warm-up is over: K steps on psi, then one on theta. Returns the loss on the batch B'_n
  /// at the theta before the step: H(psi_n, .), with --target-batch on as many of the points, or the Sinkhorn
  /// divergence (73) with it in place of W_lambda. `progress`, from 0 to 1, is how far the schedules are. A NaN in
  /// theta or psi comes out as NaN here at the latest in the next iteration.
  double iterate(double progress = 0);

  /// The generator to sample from: the trained one, or with --average the mean of those that there were.
  models::Generator& sampled();

  /// The dual potential psi at the target's points, [J]; of classes each about its mean, since each is told but for a
  /// constant, and 0 where there is no class.
  engine::Tensor psi() const;

  /// The iterations done so far; those that have run before, if the state was restored.
  std::int64_t iterations() const { return n_; }

  /// Which ways the c-transforms to all points took so far.
  ot::Transformer::Counts ways() const;

  /// All that later iterations depend on, beside the options and iterations(): theta and the buffers of sampled() under
  /// their names, with --average those of the trained generator under `trained.NAME`, `adam.first.NAME` and
  /// `adam.second.NAME` for each parameter once a step was made, `psi` (a vector) or the network's parameters and
  /// the dual solver's state, for each class under `class.NUMBER.NAME`, and with a warm-up `dual.warmup.steps`.
  /// Meaningful unless the warm-up is under way. The tensors share the memory in use.
  ot::NamedTensors state();
  /// The bytes of state() once every optimizer has made a step.
  std::int64_t most_state_bytes();
  /// Goes on from such a state after `iterations` iterations. Throws Error naming a tensor that is missing or has
  /// another shape.
  void restore(const ot::NamedTensors& state, std::int64_t iterations);

 private:
  /// g(z), in the space of the target.
  engine::Var generated(const engine::Tensor& z);
  engine::Tensor latent_batch(Draw purpose, std::int64_t n, std::int64_t k) const;
  /// The points that a step sees, with --target-batch.
  ot::Subset point_batch(const ClassDual& of, Draw purpose, std::int64_t n, std::int64_t k) const;
  /// The batches of the steps first..last-1 on psi in iteration n.
  std::vector<engine::Tensor> dual_batches(std::int64_t n, std::int64_t first, std::int64_t last);
  void step_psi(const engine::Tensor& x, Draw points, std::int64_t n, std::int64_t k);
  /// H(psi_n, .) to one of the measures on its rows of a batch, and the loss there.
  engine::Var H(ClassDual& of, const engine::Var& x);
  engine::Var loss(ClassDual& of, const engine::Var& x);
  /// The loss on the batch x: their mean by their shares.
  engine::Var loss(const engine::Var& x);
  ot::NamedTensors generators();
  ot::NamedTensors moments();

  TrainOptions options_;
  const ot::Target& target_;
  models::Generator& generator_;
  const CostSpace* space_;
  std::vector<engine::Var*> theta_;
  std::optional<AveragedGenerator> average_;
  engine::Adam adam_;
  std::vector<std::unique_ptr<ClassDual>> duals_;
  LatentLaw law_;
  std::vector<std::int64_t> dual_batch_, batch_;  // the class of each row
  std::int64_t n_ = 0, warmup_ = 0;
};

}  // namespace apps
