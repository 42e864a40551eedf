#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "apps/latents.h"
#include "apps/learn/averaged_generator.h"
#include "apps/learn/cost_space.h"
#include "apps/learn/named_optimizer.h"
#include "apps/learn/objective.h"
#include "apps/options.h"
#include "models/generator.h"
#include "ot/named_tensors.h"

namespace apps {

/// Algorithm 1 of the paper: an inner loop of K steps on what the Objective learns, psi for the paper's min over theta,
/// max over psi, of H(psi, theta) (98), before each step on theta.
class Alternate {
 public:
  /// Starts at the objective's start and the generator's present theta. The generator must outlive it. Throws Error
  /// where a step length is refused, the sizes of generator and data differ, or a batch has fewer points than classes.
  /// Latent points are of the `law`; where it has classes a batch has rows of each by its share. With --average, `mean`
  /// is another generator of the same kind. Points of the generator are mapped to where the objective takes them by
  /// `space`, where there is one.
  Alternate(const TrainOptions& options, LatentLaw law, models::Generator& generator,
            std::unique_ptr<Objective> objective, std::unique_ptr<models::Generator> mean = nullptr,
            const CostSpace* space = nullptr);

  /// Whether steps of the warm-up are left: --dual-warmup steps of the objective at the first theta, an inner loop of
  /// its own before the first iteration.
  bool warming_up() const { return warmup_ < options_.dual_warmup; }
  /// One of these steps.
  void warm_up();

  /// One iteration, once the warm-up is over: K steps on psi, then one on theta. Returns the objective's loss on the
  /// batch B'_n at the theta before the step, which is not made where the loss is not finite. `progress`, from 0 to 1,
  /// is how far the schedules are. A NaN in theta or psi comes out as NaN here at the latest in the next iteration.
  double iterate(double progress = 0);
  /// The same, unless `go_on` says no, which is asked between steps on psi where the objective can pause: nothing is
  /// returned then and no iteration counted. The next call goes on with the step that follows, to the same bits, here
  /// or where state() is restored.
  std::optional<double> iterate(double progress, const std::function<bool()>& go_on);

  /// The generator to sample from: the trained one, or with --average the mean of those that there were.
  models::Generator& sampled();

  const Objective& objective() const { return *objective_; }

  /// The iterations done so far; those that have run before, if the state was restored.
  std::int64_t iterations() const { return n_; }

  /// All that later iterations depend on, beside the options and iterations(): theta and the buffers of sampled() under
  /// their names, with --average those of the trained generator under `trained.NAME`, the moments of a NamedOptimizer,
  /// the objective's, with a warm-up `dual.warmup.steps`, and where an inner loop has paused `dual.inner.steps`.
  /// Meaningful unless the warm-up is under way. The tensors share the memory in use.
  ot::NamedTensors state();
  /// The bytes of state() once every optimizer has made a step.
  std::int64_t most_state_bytes();
  /// Goes on from such a state after `iterations` iterations. Throws Error naming a tensor that is missing, has another
  /// shape or counts more steps than there are.
  void restore(const ot::NamedTensors& state, std::int64_t iterations);

 private:
  /// g(z), in the space of the objective.
  engine::Var generated(const engine::Tensor& z);
  /// Whether each rank may generate a part of the rows of an inner batch, as their bits do not depend on the rows
  /// beside them, by a try: those of OpenBLAS's products need not.
  bool shares_rows();
  engine::Tensor latent_batch(Draw purpose, std::int64_t n, std::int64_t k) const;
  /// The batches of the steps first..last-1 of the inner loop of iteration n.
  std::vector<engine::Tensor> inner_batches(std::int64_t n, std::int64_t first, std::int64_t last);
  ot::NamedTensors generators();

  TrainOptions options_;
  models::Generator& generator_;
  const CostSpace* space_;
  std::optional<AveragedGenerator> average_;
  NamedOptimizer optimizer_;
  std::unique_ptr<Objective> objective_;
  LatentLaw law_;
  std::int64_t inner_batch_;                      // points in a step of the inner loop
  std::vector<std::int64_t> inner_rows_, batch_;  // with classes, that of each row
  bool shared_ = false;
  std::int64_t n_ = 0, warmup_ = 0, paused_ = 0;  // steps of the inner loop of iteration n that has paused
};

}  // namespace apps
