#pragma once

#include <cstdint>
#include <optional>

#include "apps/latents.h"
#include "apps/learn/rows.h"
#include "engine/cluster/cluster.h"
#include "engine/tape.h"
#include "engine/tensor.h"
#include "ot/named_tensors.h"
#include "ot/transformer.h"

namespace apps {

/// What a generator is trained by: how far its points are from the data, told by what an inner loop learns on points
/// held fixed, such as a dual potential or a critic, or by a batch alone. Points are in the space of the cost.
class Objective {
 public:
  Objective() = default;
  Objective(const Objective&) = delete;
  Objective& operator=(const Objective&) = delete;
  virtual ~Objective() = default;

  /// The coordinates of a point, d.
  virtual std::int64_t dimension() const = 0;

  /// Whether the steps of the inner loop take the latent points themselves, in place of what is generated from them.
  virtual bool of_latents() const { return false; }
  /// Who learns it together.
  virtual engine::Cluster ranks() const { return {}; }
  /// The rows of an inner loop's batch of so many that this rank is to generate.
  virtual Rows rows_here(std::int64_t batch) const { return {0, batch}; }
  /// Fills in what steps look at of the rows that other ranks have generated, which are 0 in x.
  virtual void complete(engine::Tensor& x) const { (void)x; }
  /// The steps of the inner loop of iteration n, which counts from 0.
  virtual std::int64_t steps(std::int64_t n) const = 0;
  /// Whether what it has learned will do, so that the inner loop ends before all its steps.
  virtual bool settled() const { return false; }
  /// Whether the inner loop, one that may take long, can pause after any of its steps: begun again, it goes on from
  /// what is learned and remembered with the same bits.
  virtual bool can_pause() const { return false; }
  /// Begins an inner loop; schedules are `progress` far, from 0 to 1.
  virtual void begin(double progress) = 0;
  /// A step of it on generated points x [B, d], a function of what it has learned and its arguments alone: where it
  /// draws points of the data, they are those of draw (n, k) for the purpose `points`.
  virtual void step(const engine::Tensor& x, Draw points, std::int64_t n, std::int64_t k) = 0;
  /// Ends it.
  virtual void finish() = 0;

  /// The inner step whose latent points the generator's step of iteration n takes; none: others of its own.
  struct InnerStep {
    std::int64_t n, k;
  };
  virtual std::optional<InnerStep> replayed(std::int64_t) const { return {}; }
  /// What the generator lowers in iteration n, at the points x [B, d] that it makes of z -> scalar, with its gradient
  /// in x.
  virtual engine::Var loss(const engine::Var& x, const engine::Tensor& z, std::int64_t n) = 0;

  /// What it has learned, and what its optimizers remember beside that from one inner loop to the next. The tensors
  /// share the memory in use; meaningful between finish() and begin(), also where a loop has paused.
  virtual ot::NamedTensors learned() = 0;
  virtual ot::NamedTensors moments() = 0;
  /// The bytes of both once every optimizer has made a step.
  virtual std::int64_t most_state_bytes() = 0;
  /// Takes both back, to go on with the same bits; where no step was `made`, what is learned alone. Other names are
  /// ignored. Throws Error naming a tensor that is missing or has another shape.
  virtual void restore(const ot::NamedTensors& state, bool made) = 0;

  /// The dual potential psi at the data's points, [J], where there is one.
  virtual std::optional<engine::Tensor> psi() const { return {}; }
  /// Which ways c-transforms to all points took so far.
  virtual ot::Transformer::Counts ways() const { return {}; }
};

}  // namespace apps
