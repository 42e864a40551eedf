#include "ot/sinkhorn/sinkhorn.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/error.h"
#include "ot/sinkhorn/dual_pair.h"

namespace ot {

using engine::require;

namespace {
/// A lambda above the one that is asked for is left at this marginal error.
constexpr double passing_tolerance = 0.01;
/// Below so much a marginal error may be all that rounding leaves, which it is where that many iterations make it no
/// less.
constexpr double rounding_error = 1e4 * std::numeric_limits<real>::epsilon();
constexpr std::int64_t iterations_without_gain = 100;

void require_options(const SinkhornOptions& options) {
  require(options.lambda > 0 && std::isfinite(options.lambda) && std::isfinite(static_cast<real>(1 / options.lambda)),
          "[sinkhorn] lambda must be positive and finite, and so must its inverse: ", options.lambda);
  require(options.lambda <= most_range, "[sinkhorn] lambda must be at most ", most_range, ": ", options.lambda);
  require(options.iterations >= 1, "[sinkhorn] there must be at least one iteration: ", options.iterations);
  require(options.tolerance >= 0, "[sinkhorn] the tolerance must not be negative: ", options.tolerance);
  require(options.scaling > 0 && options.scaling <= 1, "[sinkhorn] the scaling must be in (0, 1]: ", options.scaling);
}

/// Learns how far steps are best to go. Where steps by the factor w leave the share r of the error, those by the factor
/// 1 leave p = (r + w - 1)^2 / (w^2 r), for which the best factor is 2 / (1 + sqrt(1 - p)) (Young's theory of
/// successive over-relaxation).
class Relaxation {
 public:
  double factor() const { return factor_; }

  void observe(double lambda, double error) {
    if (lambda != lambda_) lambda_ = lambda, errors_.clear();
    errors_.push_back(error);
    if (errors_.size() <= window) return;
    const double r = std::pow(errors_.back() / errors_.front(), 1.0 / window), beyond = factor_ - 1;
    errors_.clear();
    if (!(r > beyond && r < 1)) return;
    const double p = std::min(1.0, (r + beyond) * (r + beyond) / (factor_ * factor_ * r));
    factor_ = std::clamp(2 / (1 + std::sqrt(1 - p)), factor_, largest);
  }

 private:
  static constexpr std::size_t window = 4;  // iterations that a share is taken over
  static constexpr double largest = 1.98;
  double factor_ = 1.5, lambda_ = 0;
  std::vector<double> errors_;
};

/// Iterates at falling lambdas: transform(lambda) brings phi up to date and returns the marginal error, advance(lambda)
/// moves psi.
template <class Transform, class Advance>
SinkhornResult iterate(DualPair& pair, const SinkhornOptions& options, const SinkhornObserver& observer,
                       const Transform& transform, const Advance& advance) {
  double lambda = options.scaling < 1 ? std::max(options.lambda, pair.range()) : options.lambda;
  const double stages = lambda > options.lambda ? std::log(options.lambda / lambda) / std::log(options.scaling) + 2 : 1;
  const auto share = static_cast<std::int64_t>(static_cast<double>(options.iterations) / stages);
  SinkhornResult result;
  double least = std::numeric_limits<double>::infinity();
  std::int64_t gained_at = 0;
  for (std::int64_t at_lambda = 1; result.iterations < options.iterations; ++at_lambda) {
    const double error = transform(lambda);
    const bool last = lambda == options.lambda;
    result.converged = last && error <= options.tolerance;
    ++result.iterations;
    result.marginal_error = error;
    const bool go_on =
        !observer || observer({result.iterations, lambda, pair.dual(), error, pair.psi(), pair.softmin()});
    if (result.converged || !go_on) break;
    if (last && error < least) least = error, gained_at = result.iterations;
    result.stalled = last && least <= rounding_error && result.iterations - gained_at >= iterations_without_gain &&
                     options.tolerance > 0;
    if (result.stalled) break;
    advance(lambda);
    if (last || (error > std::max(options.tolerance, passing_tolerance) && at_lambda < share)) continue;
    lambda = std::max(options.lambda, options.scaling * lambda);
    at_lambda = 0;
  }
  return result;
}
}  // namespace

SinkhornResult sinkhorn(const CostMatrix& costs, std::span<const double> mu, std::span<const double> nu,
                        const SinkhornOptions& options, const SinkhornObserver& observer, const PlanObserver& plan) {
  require_weights("source", mu, costs.rows());
  require_weights("target", nu, costs.columns());
  require_options(options);
  DualPair pair(costs, mu, nu, options.most_held);
  Relaxation relaxation;
  const auto transform = [&](double lambda) {
    pair.move_phi(lambda, relaxation.factor(), true);
    const double error = pair.marginal_error();
    relaxation.observe(lambda, error);
    return error;
  };
  SinkhornResult result =
      iterate(pair, options, observer, transform, [&](double lambda) { pair.move_psi(lambda, relaxation.factor()); });
  pair.extend(options.lambda);
  result.psi = pair.psi();
  result.duality = duality(costs, mu, nu, result.psi, options.lambda, {}, plan);
  return result;
}

SinkhornResult symmetric_sinkhorn(const CostMatrix& costs, std::span<const double> mu, const SinkhornOptions& options,
                                  const SinkhornObserver& observer) {
  require(costs.rows() == costs.columns(),
          "[sinkhorn] the costs between a measure and itself must be square: ", costs.rows(), " x ", costs.columns());
  require_weights("source", mu, costs.rows());
  require_options(options);
  DualPair pair(costs, mu, mu, options.most_held);
  std::vector<double>& chi = pair.psi();
  const std::vector<double>& softmin = pair.softmin();
  const auto transform = [&](double lambda) {
    pair.move_phi(lambda, 1, false);
    double error = 0;
    for (std::size_t i = 0; i < mu.size(); ++i)
      if (mu[i] > 0) error += mu[i] * std::abs(std::expm1((chi[i] - softmin[i]) / lambda));
    return error;
  };
  const auto advance = [&](double) {
    for (std::size_t i = 0; i < mu.size(); ++i) chi[i] = (chi[i] + softmin[i]) / 2;
  };
  SinkhornResult result = iterate(pair, options, observer, transform, advance);
  result.psi = chi;
  result.duality = duality(costs, mu, mu, result.psi, options.lambda);
  return result;
}

}  // namespace ot
