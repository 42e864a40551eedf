#include "ot/ascent/semidual_ascent.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/error.h"
#include "ot/plan/cost_matrix.h"

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

/// Of the batches that estimates are from. Steps' batches are numbered from 0.
constexpr std::uint64_t first_estimate = std::uint64_t{1} << 40;
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

/// What these x pay, on average: to all points and to the nearest.
struct MeanCosts {
  double all = 0, nearest = 0;

  MeanCosts(const Target& target, const Tensor& x) {
    const CostMatrix costs = cost_matrix(target, x);
    std::vector<double> buffer(static_cast<std::size_t>(costs.columns()));
    for (std::int64_t i = 0; i < costs.rows(); ++i) {
      const std::span row(costs.row(i, buffer.data()), buffer.size());
      double sum = 0, least = std::abs(row[0]);
      for (const double cost : row) sum += std::abs(cost), least = std::min(least, std::abs(cost));
      all += sum / static_cast<double>(row.size() * static_cast<std::size_t>(costs.rows()));
      nearest += least / static_cast<double>(costs.rows());
    }
  }
};

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

SourceSampler::SourceSampler(Tensor x, std::span<const double> mu, std::uint64_t seed) : x_(std::move(x)), seed_(seed) {
  require_weights("source", mu, x_.dim(0));
  double sum = 0;
  for (const double weight : mu) cumulative_.push_back(sum += weight);
  for (double& value : cumulative_) value /= sum;
}

Tensor SourceSampler::batch(std::uint64_t number, std::int64_t size) const {
  const std::int64_t d = x_.dim(1);
  const engine::Random random(seed_, number);
  Tensor batch({size, d});
  for (std::int64_t k = 0; k < size; ++k) {
    const double place =
        (static_cast<double>(k) + random.uniform(static_cast<std::uint64_t>(k))) / static_cast<double>(size);
    const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, place) - cumulative_.begin();
    std::copy_n(x_.data() + found * d, d, batch.data() + k * d);
  }
  return batch;
}

std::optional<SemidualEstimate> estimate_semidual(Transformer& transform, const Tensor& psi, double lambda, int groups,
                                                  const std::function<Tensor(int)>& batch,
                                                  const std::function<bool()>& go_on) {
  const std::span<const double> nu = transform.target().weights();
  const double g = groups;
  double expectation = 0;
  for (std::size_t j = 0; j < nu.size(); ++j)
    if (nu[j] > 0) expectation += nu[j] * psi.values()[j];

  std::vector<Tensor> masses;
  std::vector<double> sums(nu.size(), 0), means, products(static_cast<std::size_t>(groups), 0);
  for (int k = 0; k < groups; ++k) {
    if (go_on && !go_on()) return {};
    const CTransform found = transform(batch(k), psi, lambda, {.mass = true});
    double sum = 0;
    for (const real value : found.value.values()) sum += value;
    means.push_back(expectation + sum / static_cast<double>(found.value.size()));
    masses.push_back(found.mass);
    for (std::size_t j = 0; j < nu.size(); ++j) sums[j] += found.mass.values()[j];
  }
  // sum_j m_gj m_hj / nu_j is 1 + chi^2 in expectation for g != h. `products` has its sums over h.
  double all = 0;
  for (int k = 0; k < groups; ++k) {
    const Tensor& mass = masses[static_cast<std::size_t>(k)];
    double& product = products[static_cast<std::size_t>(k)];
    for (std::size_t j = 0; j < nu.size(); ++j)
      if (nu[j] > 0) product += mass.values()[j] * (sums[j] - mass.values()[j]) / nu[j];
    all += product;
  }
  SemidualEstimate estimate;
  estimate.chi_squared = all / (g * (g - 1)) - 1;
  for (const double mean : means) estimate.dual += mean / g;
  double dual_variance = 0, chi_variance = 0;
  for (std::size_t k = 0; k < means.size(); ++k) {
    dual_variance += (means[k] - estimate.dual) * (means[k] - estimate.dual);
    const double without = (all - 2 * products[k]) / ((g - 1) * (g - 2)) - 1;
    chi_variance += (without - estimate.chi_squared) * (without - estimate.chi_squared);
  }
  estimate.dual_error = std::sqrt(dual_variance / (g * (g - 1)));
  estimate.chi_squared_error = std::sqrt(chi_variance * (g - 1) / g);
  return estimate;
}

AscentResult ascend_semidual(Transformer& transform, const SourceSampler& source, Potential& potential,
                             AscentOptions options, const AscentObserver& observer) {
  require(options.steps >= 1 && options.batch >= 1,
          "[ascent] there must be at least one step and one point in it: ", options.steps, " and ", options.batch);
  const Rates rates = rates_of(options.optimizer);
  double last_rate = rates.last * options.rate;
  if (options.rate == 0) {
    const MeanCosts costs(transform.target(), source.batch(first_estimate, 16));
    const double points = options.optimizer == DualOptimizer::adam ? 1 : static_cast<double>(transform.target().size());
    options.rate = costs.all > 0 ? rates.first * costs.all * points : 1;
    last_rate = rates.last * options.rate;
    if (costs.nearest > 0) last_rate = std::min(last_rate, rates.nearest * costs.nearest * points);
  }

  // An estimate takes half of a stage's points at most.
  const std::int64_t estimate_size =
      std::clamp<std::int64_t>(options.steps * options.batch / (2 * stages * estimate_groups), 1, most_estimate_size);
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
    const std::int64_t end = options.steps * (stage + 1) / stages;
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
