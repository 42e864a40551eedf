#include "ot/ascent/averaged_ascent.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "ot/ascent/sampled_costs.h"

namespace ot {

using engine::require;
using engine::Tensor;

namespace {

// In units of the costs' spread; for steps along the gradient per target point.
constexpr double first_rate = 0.01, first_rate_of_drag = 0.15, first_lambda = 0.1;
// Chi^2 is estimated when steps have grown by so much, from so many groups of so many points at least.
constexpr std::int64_t first_check = 50;
constexpr double between_checks = 1.25;
constexpr int groups = 16;
constexpr std::int64_t least_size = 256, most_size = 8192;
// An iterate whose chi^2 is below this is in the basin where averaging does the rest.
constexpr double near = 0.1;

class AveragedAscent {
 public:
  AveragedAscent(Transformer& transform, const Source& source, Potential& potential, const AveragedOptions& options,
                 const AscentObserver& observer)
      : transform_(transform),
        source_(source),
        potential_(potential),
        options_(options),
        observer_(observer),
        mean_(static_cast<std::size_t>(transform.target().size())) {
    const SampledCosts costs(transform.target(), source.batch(first_estimate, groups));
    const double unit = costs.spread > 0 ? costs.spread : 1;
    const double points = options.method == AveragedMethod::adam ? 1 : static_cast<double>(transform.target().total());
    if (options_.rate == 0) options_.rate = (drag() ? first_rate_of_drag : first_rate) * unit * points;
    if (options_.first_lambda == 0) options_.first_lambda = first_lambda * unit;
    if (drag()) bound_ = std::max(costs.largest, std::numeric_limits<double>::min());
    rate_ = options_.rate;
  }

  AveragedResult run() {
    begin(lambda_at(1));
    std::int64_t next = first_check;
    go_on(0);
    while (result_.steps < options_.steps && !stopped_) {
      step();
      if (!go_on(result_.steps) || result_.steps < next) continue;
      next = static_cast<std::int64_t>(static_cast<double>(next) * between_checks) + 1;
      if (!check()) break;
    }
    if (result_.steps == 0) return result_;
    result_.psi = mean_;
    // Ended early it tells what it last knew, but something.
    if (result_.converged || (stopped_ && checks_ > 0)) return result_;
    if (std::exchange(stopped_, false)) observer_ = {};
    if (const auto found = estimate(mean(), batches(checks_ + 1, size_for(0)))) result_.estimate = *found;
    return result_;
  }

 private:
  bool drag() const { return options_.method == AveragedMethod::drag; }

  double lambda_at(std::int64_t step) const {
    if (!drag()) return options_.lambda;
    return std::max(options_.lambda, options_.first_lambda / std::sqrt(static_cast<double>(step)));
  }

  bool go_on(std::int64_t step) {
    stopped_ = stopped_ || transform_.target().ranks().any(
                               observer_ && !observer_({step, lambda_, result_.estimate, checks_, result_.samples}));
    return !stopped_;
  }

  void begin(double lambda) {
    NamedTensors state;
    if (solver_) solver_->finish(), state = solver_->state();
    const auto optimizer = options_.method == AveragedMethod::adam ? DualOptimizer::adam : DualOptimizer::asgd;
    lambda_ = lambda;
    solver_ = make_dual_solver(transform_, potential_, lambda,
                               {.optimizer = optimizer, .rate = options_.rate, .decay = 0, .average = false});
    if (!state.empty()) solver_->restore(state);
    solver_->begin();
  }

  void step() {
    const std::int64_t number = result_.steps + 1;
    // A solver keeps its lambda, and what it fitted to it, until that is a tenth too large.
    if (const double lambda = lambda_at(number);
        lambda < 0.9 * lambda_ || (lambda < lambda_ && lambda == options_.lambda))
      begin(lambda);
    solver_->set_rate(drag() ? options_.rate / std::pow(static_cast<double>(number), 2.0 / 3) : rate_);
    const std::int64_t size = std::clamp(result_.samples / 200, options_.batch, 8 * options_.batch);
    solver_->step(source_.batch(static_cast<std::uint64_t>(result_.steps), size));
    if (bound_ > 0) hold_within_bound();
    result_.steps = number;
    result_.samples += size;
    const auto drawn = static_cast<double>(result_.samples);
    const double weight = drawn * drawn * static_cast<double>(size);
    weights_ += weight;
    const Tensor psi = potential_.values();
    for (std::size_t j = 0; j < mean_.size(); ++j) mean_[j] += weight / weights_ * (psi.values()[j] - mean_[j]);
  }

  void hold_within_bound() {
    const auto bound = static_cast<real>(bound_);
    for (engine::Var* parameter : potential_.parameters())
      for (real& value : parameter->value().values()) value = std::clamp(value, -bound, bound);
  }

  Tensor mean() const {
    Tensor psi({std::ssize(mean_)});
    std::ranges::transform(mean_, psi.data(), [](double value) { return static_cast<real>(value); });
    return psi;
  }

  /// The points of a group of an estimate whose standard error, about sqrt(2 J) over all points, is a sixth of the
  /// tolerance, or which takes a fortieth of the points so far.
  std::int64_t size_for(double tolerance) const {
    const double wanted = tolerance > 0
                              ? 6 * std::sqrt(2 * static_cast<double>(transform_.target().total())) / tolerance / groups
                              : static_cast<double>(result_.samples) / (40.0 * groups);
    const auto most = std::clamp<std::int64_t>(result_.samples / (4 * groups), least_size, most_size);
    return std::clamp(static_cast<std::int64_t>(std::min(wanted, 1e9)), least_size, most);
  }

  /// Batches number `first` on, `size` points each.
  std::vector<Tensor> batches(std::int64_t first, std::int64_t size) const {
    std::vector<Tensor> all;
    for (std::int64_t group = 0; group < groups; ++group)
      all.push_back(source_.batch(first_estimate + static_cast<std::uint64_t>(first * groups + group), size));
    return all;
  }

  std::optional<SemidualEstimate> estimate(const Tensor& psi, const std::vector<Tensor>& points) {
    return estimate_semidual(
        transform_, psi, options_.lambda, groups, [&](int group) { return points[static_cast<std::size_t>(group)]; },
        [&] { return go_on(0); });
  }

  /// False ends the ascent.
  bool check() {
    // Of the same points each time, so that what differs is psi.
    if (check_points_.empty()) check_points_ = batches(0, least_size);
    const auto last = estimate(potential_.values(), check_points_);
    auto of_mean = last ? estimate(mean(), check_points_) : std::nullopt;
    if (!of_mean) return false;
    // Steps that are too long move the last iterate around the mean, or far from it with no gain; where psi still has a
    // way to go H rises.
    const bool astray = last->chi_squared > 0.9 * last_.chi_squared && last->dual <= last_.dual;
    const bool noisy = of_mean->chi_squared < 0.6 * last->chi_squared || astray;
    last_ = *last;
    ++checks_;
    const double tolerance = options_.tolerance;
    if (tolerance > 0 && of_mean->chi_squared - 2 * of_mean->chi_squared_error <= tolerance)
      of_mean = estimate(mean(), batches(checks_, size_for(tolerance)));
    if (!of_mean) return false;
    result_.estimate = *of_mean;
    result_.converged = tolerance > 0 && of_mean->chi_squared + of_mean->chi_squared_error <= tolerance;
    if (result_.converged) return false;
    if (noisy && last->chi_squared > near) {
      rate_ /= 2;
      weights_ /= 4;  // what was averaged is worse than what comes
    }
    begin(lambda_);  // whatever the estimates were computed by, steps depend on steps alone
    return true;
  }

  Transformer& transform_;
  const Source& source_;
  Potential& potential_;
  AveragedOptions options_;
  AscentObserver observer_;
  std::unique_ptr<DualSolver> solver_;
  double lambda_ = 0, rate_ = 0, bound_ = 0;
  std::vector<double> mean_;
  double weights_ = 0;
  std::vector<Tensor> check_points_;
  SemidualEstimate last_{.dual = -std::numeric_limits<double>::infinity()};  // of the iterate at the last check
  int checks_ = 0;
  bool stopped_ = false;
  AveragedResult result_;
};

}  // namespace

AveragedResult ascend_averaged(Transformer& transform, const Source& source, Potential& potential,
                               AveragedOptions options, const AscentObserver& observer) {
  require_steps(options.steps, options.batch);
  require(source.dimension() == transform.target().dimension(), "[ascent] the source has dimension ",
          source.dimension(), ", the target ", transform.target().dimension(), ": they must lie in the same space");
  return AveragedAscent(transform, source, potential, options, observer).run();
}

}  // namespace ot
