#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "apps/learn/data_draws.h"
#include "apps/learn/named_optimizer.h"
#include "apps/learn/objective.h"
#include "apps/options.h"
#include "models/critic.h"
#include "ot/target.h"

namespace apps {

/// What objectives share that learn critics, functions of points as networks, in --inner steps on a batch of generated
/// points and one of the data, by --optimizer at --dual-lr.
class CriticObjective : public Objective {
 public:
  std::int64_t dimension() const override { return target_.dimension(); }
  std::int64_t steps(std::int64_t) const override { return options_.inner; }
  void begin(double progress) override;
  void finish() override {}

  /// The critics' parameters; the moments of their optimizer and its `critic.steps`.
  ot::NamedTensors learned() override;
  ot::NamedTensors moments() override;
  std::int64_t most_state_bytes() override;
  void restore(const ot::NamedTensors& state, bool made) override;

 protected:
  using Critics = std::vector<std::unique_ptr<models::Critic>>;

  /// The target must outlive it. Critics have parameters of different names. Throws Error where the optimizer refuses a
  /// rate or a beta.
  CriticObjective(const TrainOptions& options, const ot::Target& target, Critics critics);

  models::Critic& critic(std::size_t i = 0) { return *critics_[i]; }
  /// So many points of the data, [count, d], those of draw (n, k) for the purpose.
  engine::Tensor data(std::int64_t count, Draw purpose, std::int64_t n, std::int64_t k) const;
  /// What a step that draws points of the data so draws anything else for.
  static Draw beside(Draw points);
  /// One step of the critics' parameters, which the tape watches, down the gradient of what `loss` computes there.
  void descend(const std::function<engine::Var(engine::Tape&)>& loss);
  NamedOptimizer& optimizer() { return optimizer_; }

  TrainOptions options_;
  const ot::Target& target_;

 private:
  DataDraws draws_;
  Critics critics_;
  NamedOptimizer optimizer_;
};

/// A list of such pointers, which a braced list can't make.
template <class... Critic>
std::vector<std::unique_ptr<models::Critic>> critics_of(Critic... critics) {
  std::vector<std::unique_ptr<models::Critic>> list;
  (list.push_back(std::move(critics)), ...);
  return list;
}

}  // namespace apps
