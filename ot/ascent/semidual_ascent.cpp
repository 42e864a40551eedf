#include "ot/ascent/semidual_ascent.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/error.h"
#include "ot/ascent/sampled_costs.h"

namespace ot {

using engine::require;
using engine::Tensor;

namespace {
constexpr int stages = 10;
constexpr double last_lambda = 1e-3;  // in units of the first

/// The first rate in units of the mean cost, for ASGD per target point, and the last in units of the first, measured on
/// 2000 images at lambdas from 0 to 0.025; but the last is at most so much of what the nearest point costs.
struct Rates {
  double first, last, nearest;
};
constexpr Rates rates_of(DualOptimizer optimizer) {
  return optimizer == DualOptimizer::adam ? Rates{0.01, 1.0 / 30, 0.02} : Rates{0.012, 1.0 / 100, 0.02};
}

constexpr int estimate_groups = 16;
constexpr std::int64_t most_estimate_size = 256;

struct Stage {
  double lambda, rate;
};

Stage stage_of(int stage, const AscentOptions& options, double last_rate) {
  const double progress = static_cast<double>(stage) / (stages - 1);
  const double rate = options.rate * std::pow(last_rate / options.rate, progress);
  const bool last = stage + 1 == stages;
  if (last || options.first_lambda <= options.lambda) return {options.lambda, rate};
  const double end = std::max(options.lambda, last_lambda * options.first_lambda);
  return {options.first_lambda * std::pow(end / options.first_lambda, progress), rate};
}

/// A potential's parameters, to go back to.
class Kept {
 public:
  void keep(Potential& potential) {
    values_.clear();
    for (const engine::Var* parameter : potential.parameters()) values_.push_back(parameter->value().clone());
  }
  void put_back(Potential& potential) const {
    for (std::size_t p = 0; p < values_.size(); ++p)
      std::ranges::copy(values_[p].values(), potential.parameters()[p]->value().data());
  }

 private:
  std::vector<Tensor> values_;
};
}  // namespace

AscentResult ascend_semidual(Transformer& transform, const Source& source, Potential& potential, AscentOptions options,
                             const AscentObserver& observer) {
  require_steps(options.steps, options.batch);
  const Rates rates = rates_of(options.optimizer);
  double last_rate = rates.last * options.rate;
  if (options.rate == 0) {
    const SampledCosts costs(transform.target(), source.batch(first_estimate, 16));
    const double points = options.optimizer == DualOptimizer::adam ? 1 : static_cast<double>(transform.target().size());
    options.rate = costs.mean > 0 ? rates.first * costs.mean * points : 1;
    last_rate = rates.last * options.rate;
    if (costs.nearest > 0) last_rate = std::min(last_rate, rates.nearest * costs.nearest * points);
  }

  // An estimate takes half of a stage's points at most.
  constexpr std::int64_t estimates = 2 * stages * estimate_groups;
  const std::int64_t steps = std::min(options.steps, estimates * most_estimate_size);
  const auto estimate_size = std::clamp<std::int64_t>(steps * options.batch / estimates, 1, most_estimate_size);
  AscentResult result;
  bool go_on = true;
  int stages_over = 0;
  const auto estimate = [&] {
    return estimate_semidual(
        transform, potential.values(), options.lambda, estimate_groups,
        [&](int group) { return source.batch(first_estimate + static_cast<std::uint64_t>(group), estimate_size); },
        [&] {
          return go_on = !observer || observer({0, options.lambda, result.estimate, stages_over});
        });
  };
  const auto start = estimate();
  if (!start) return result;
  result.estimate = *start;
  SemidualEstimate best = *start;
  Kept kept;
  kept.keep(potential);
  NamedTensors state;
  for (int stage = 0; stage < stages && go_on; ++stage) {
    const std::int64_t end = options.steps / stages * (stage + 1) + options.steps % stages * (stage + 1) / stages;
    if (result.steps == end) continue;
    const auto [lambda, rate] = stage_of(stage, options, last_rate);
    const auto solver =
        make_dual_solver(transform, potential, lambda, {.optimizer = options.optimizer, .rate = rate, .decay = 0});
    if (!state.empty()) solver->restore(state);
    solver->begin();
    while (result.steps < end && go_on) {
      solver->step(source.batch(static_cast<std::uint64_t>(result.steps), options.batch));
      ++result.steps;
      go_on = !observer || observer({result.steps, lambda, result.estimate, stages_over});
    }
    solver->finish();
    state = solver->state();
    const auto found = go_on ? estimate() : std::nullopt;
    if (!found) {  // nobody knows what the steps since the last stage came to
      if (stage > 0) kept.put_back(potential);
      return result;
    }
    result.estimate = *found;
    ++stages_over;
    if (found->dual >= best.dual) {
      best = *found;
      kept.keep(potential);
    }
    result.converged = options.tolerance > 0 && lambda == options.lambda &&
                       result.estimate.chi_squared + result.estimate.chi_squared_error <= options.tolerance;
    if (result.converged) break;
  }
  if (best.dual > result.estimate.dual + 2 * result.estimate.dual_error) {
    result.lost = best.dual - result.estimate.dual;
    result.estimate = best;
    result.converged = false;
    kept.put_back(potential);
  }
  return result;
}

}  // namespace ot
