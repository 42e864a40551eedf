#include "ot/sinkhorn/sinkhorn.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::require;
using engine::simd::Kernels;

namespace {
/// A lambda above the one that is asked for is left at this marginal error.
constexpr double passing_tolerance = 0.01;
/// Below so much a marginal error may be all that rounding leaves, which it is where that many iterations make it no
/// less.
constexpr double rounding_error = 1e4 * std::numeric_limits<real>::epsilon();
constexpr std::int64_t iterations_without_gain = 300;

void require_options(const SinkhornOptions& options) {
  require(options.lambda > 0 && std::isfinite(options.lambda) && std::isfinite(static_cast<real>(1 / options.lambda)),
          "[sinkhorn] lambda must be positive and finite, and so must its inverse: ", options.lambda);
  require(options.iterations >= 1, "[sinkhorn] there must be at least one iteration: ", options.iterations);
  require(options.tolerance >= 0, "[sinkhorn] the tolerance must not be negative: ", options.tolerance);
  require(options.scaling > 0 && options.scaling <= 1, "[sinkhorn] the scaling must be in (0, 1]: ", options.scaling);
}

/// Softmins over rows and columns, with what they need of the costs held in real around reference potentials.
class Transforms {
 public:
  Transforms(const CostMatrix& costs, std::span<const double> mu, std::span<const double> nu)
      : costs_(costs),
        mu_(mu),
        nu_(nu),
        n_(costs.rows()),
        m_(costs.columns()),
        phi_(mu.size()),
        psi_(nu.size(), 0),
        q_(nu.size()),
        reduced_(static_cast<std::size_t>(n_ * m_)),
        offsets_(nu.size()) {
    std::vector<double> largest(mu.size());
    engine::parallel_for(n_, costs_.rows_per_piece(), [&](std::int64_t begin, std::int64_t end) {
      std::vector<double> buffer(nu_.size());
      for (std::int64_t i = begin; i < end; ++i) {
        const double* row = costs_.row(i, buffer.data());
        const auto [least, most] = std::minmax_element(row, row + m_);
        phi_[static_cast<std::size_t>(i)] = *least;
        largest[static_cast<std::size_t>(i)] = *most - *least;
      }
    });
    range_ = *std::max_element(largest.begin(), largest.end());
    require(std::isfinite(range_),
            "[sinkhorn] costs must be finite, and not too far apart: their largest difference is ", range_);
    recentre();
  }

  /// The largest difference of costs in a row.
  double range() const { return range_; }
  std::vector<double>& psi() { return psi_; }
  const std::vector<double>& phi() const { return phi_; }

  /// phi = psi^{c,lambda}; the columns' marginal of the plan, if wanted.
  void transform(double lambda, bool with_marginal) {
    if (drift() > most_drift * lambda && ++drifted_ >= patience) recentre();
    // A factor m makes the sum of nu_j m e_ij one of m terms of the order of 1.
    for (std::size_t j = 0; j < nu_.size(); ++j)
      offsets_[j] =
          static_cast<real>(psi_[j] - psi_reference_[j] + lambda * std::log(nu_[j] * static_cast<double>(m_)));
    const std::int64_t grain = costs_.rows_per_piece(), pieces = (n_ + grain - 1) / grain;
    if (with_marginal) sums_.assign(static_cast<std::size_t>(pieces * m_), 0);
    engine::parallel_for(n_, grain, [&](std::int64_t begin, std::int64_t end) {
      std::vector<real> terms(nu_.size());
      for (std::int64_t i = begin; i < end; ++i) {
        const double total = transform_row(i, lambda, terms.data());
        if (with_marginal)
          kernels_.axpy(m_, static_cast<real>(mu_[static_cast<std::size_t>(i)] / total), terms.data(),
                        sums_.data() + begin / grain * m_);
      }
    });
    if (!with_marginal) return;
    std::fill(q_.begin(), q_.end(), 0);
    for (std::int64_t piece = 0; piece < pieces; ++piece)
      for (std::int64_t j = 0; j < m_; ++j)
        q_[static_cast<std::size_t>(j)] += sums_[static_cast<std::size_t>(piece * m_ + j)];
  }

  /// sum_j |q_j - nu_j|
  double marginal_error() const {
    double error = 0;
    for (std::size_t j = 0; j < nu_.size(); ++j) error += std::abs(q_[j] - nu_[j]);
    return error;
  }

  double dual() const {
    double value = 0;
    for (std::size_t i = 0; i < mu_.size(); ++i) value += mu_[i] * phi_[i];
    for (std::size_t j = 0; j < nu_.size(); ++j) value += nu_[j] * psi_[j];
    return value;
  }

  /// psi goes 1.8 times the way to phi^{c,lambda}, known from the marginal; over-relaxed, the iteration converges
  /// several times as fast. With r = q_j / nu_j, such a step changes the dual (9) by lambda nu_j (r - r^(1 - 1.8) - 1.8
  /// log r), which is positive for r >= 1/2 (but for r = 1): where r is less psi goes just all the way, so that the
  /// dual always grows. Where the marginal has underflowed, phi^{c,lambda} comes from its definition.
  void transform_back(double lambda) {
    constexpr double least = 1e-20, relaxation = 1.8;
    std::vector<std::int64_t> underflowed;
    for (std::size_t j = 0; j < nu_.size(); ++j) {
      if (nu_[j] == 0) continue;
      if (q_[j] > least * nu_[j])
        psi_[j] -= (q_[j] >= nu_[j] / 2 ? relaxation : 1) * lambda * std::log(q_[j] / nu_[j]);
      else
        underflowed.push_back(static_cast<std::int64_t>(j));
    }
    transform_back_at(underflowed, lambda);
  }

  /// psi = phi^{c,lambda} where nu has no mass, at which nothing has looked so far.
  void extend(double lambda) {
    std::vector<std::int64_t> massless;
    for (std::size_t j = 0; j < nu_.size(); ++j)
      if (nu_[j] == 0) massless.push_back(static_cast<std::int64_t>(j));
    transform_back_at(massless, lambda);
  }

 private:
  static constexpr double most_drift = 4;  // of a potential from its reference, in units of lambda
  static constexpr int patience = 16;      // iterations with more than that before the reference moves

  /// Softmin over row i; the terms e^{(shift - u_ij) / lambda} of its sum, which is returned.
  double transform_row(std::int64_t i, double lambda, real* terms) {
    const auto row = static_cast<std::size_t>(i);
    const real* reduced = reduced_.data() + i * m_;
    const auto rate = static_cast<real>(1 / lambda);
    // The last phi is about the softmin, which saves looking for the minimum.
    real shift = static_cast<real>(phi_[row] - phi_reference_[row]);
    const auto sum_of_terms = [&] {
      return static_cast<double>(kernels_.exp_affine(m_, reduced, -1, offsets_.data(), shift, rate, terms));
    };
    double total = sum_of_terms();
    if (!(total > 1e-6 && total < 1e20)) {
      shift = kernels_.min_affine(m_, reduced, -1, offsets_.data()).value;
      total = sum_of_terms();
    }
    phi_[row] = phi_reference_[row] + shift - lambda * std::log(total / static_cast<double>(m_));
    return total;
  }

  void transform_back_at(const std::vector<std::int64_t>& columns, double lambda) {
    engine::parallel_for(static_cast<std::int64_t>(columns.size()), std::max<std::int64_t>(8, (1 << 15) / n_),
                         [&](std::int64_t begin, std::int64_t end) {
                           for (std::int64_t k = begin; k < end; ++k) {
                             const std::int64_t j = columns[static_cast<std::size_t>(k)];
                             psi_[static_cast<std::size_t>(j)] = column_softmin(j, lambda);
                           }
                         });
  }

  double column_softmin(std::int64_t j, double lambda) const {
    const auto u = [&](std::size_t i) {
      return phi_reference_[i] - phi_[i] + reduced_[i * nu_.size() + static_cast<std::size_t>(j)];
    };
    double least = std::numeric_limits<double>::infinity(), total = 0;
    for (std::size_t i = 0; i < mu_.size(); ++i)
      if (mu_[i] > 0) least = std::min(least, u(i));
    for (std::size_t i = 0; i < mu_.size(); ++i) total += mu_[i] * std::exp((least - u(i)) / lambda);
    return psi_reference_[static_cast<std::size_t>(j)] + least - lambda * std::log(total);
  }

  double drift() const {
    double most = 0;
    for (std::size_t i = 0; i < phi_.size(); ++i) most = std::max(most, std::abs(phi_[i] - phi_reference_[i]));
    for (std::size_t j = 0; j < psi_.size(); ++j) most = std::max(most, std::abs(psi_[j] - psi_reference_[j]));
    return most;
  }

  void recentre() {
    phi_reference_ = phi_;
    psi_reference_ = psi_;
    drifted_ = 0;
    engine::parallel_for(n_, costs_.rows_per_piece(), [&](std::int64_t begin, std::int64_t end) {
      std::vector<double> buffer(nu_.size());
      for (std::int64_t i = begin; i < end; ++i) {
        const double* row = costs_.row(i, buffer.data());
        real* reduced = reduced_.data() + i * m_;
        for (std::int64_t j = 0; j < m_; ++j)
          reduced[j] =
              static_cast<real>(row[j] - phi_[static_cast<std::size_t>(i)] - psi_[static_cast<std::size_t>(j)]);
      }
    });
  }

  const Kernels& kernels_ = engine::simd::kernels();
  const CostMatrix& costs_;
  std::span<const double> mu_, nu_;
  std::int64_t n_, m_;
  std::vector<double> phi_, psi_, q_;
  std::vector<double> phi_reference_, psi_reference_;
  std::vector<real> reduced_;  // c_ij minus the references, [n, m]
  std::vector<real> offsets_;  // [m]
  std::vector<real> sums_;     // of the plan's columns over each piece of rows
  double range_ = 0;
  int drifted_ = 0;
};
/// Iterates at falling lambdas: transform(lambda) brings phi up to date and returns the marginal error, advance(lambda)
/// moves psi.
template <class Transform, class Advance>
SinkhornResult iterate(Transforms& transforms, const SinkhornOptions& options, const SinkhornObserver& observer,
                       const Transform& transform, const Advance& advance) {
  double lambda = options.scaling < 1 ? std::max(options.lambda, transforms.range()) : options.lambda;
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
    const bool go_on = !observer || observer({result.iterations, lambda, transforms.dual(), error});
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
  Transforms transforms(costs, mu, nu);
  const auto transform = [&](double lambda) {
    transforms.transform(lambda, true);
    return transforms.marginal_error();
  };
  SinkhornResult result =
      iterate(transforms, options, observer, transform, [&](double lambda) { transforms.transform_back(lambda); });
  transforms.extend(options.lambda);
  result.psi = transforms.psi();
  result.duality = duality(costs, mu, nu, result.psi, options.lambda, {}, plan);
  return result;
}

SinkhornResult symmetric_sinkhorn(const CostMatrix& costs, std::span<const double> mu, const SinkhornOptions& options,
                                  const SinkhornObserver& observer) {
  require(costs.rows() == costs.columns(),
          "[sinkhorn] the costs between a measure and itself must be square: ", costs.rows(), " x ", costs.columns());
  require_weights("source", mu, costs.rows());
  require_options(options);
  Transforms transforms(costs, mu, mu);
  std::vector<double>& chi = transforms.psi();
  const auto transform = [&](double lambda) {
    transforms.transform(lambda, false);
    double error = 0;
    for (std::size_t i = 0; i < mu.size(); ++i)
      if (mu[i] > 0) error += mu[i] * std::abs(std::expm1((chi[i] - transforms.phi()[i]) / lambda));
    return error;
  };
  const auto advance = [&](double) {
    for (std::size_t i = 0; i < mu.size(); ++i) chi[i] = (chi[i] + transforms.phi()[i]) / 2;
  };
  SinkhornResult result = iterate(transforms, options, observer, transform, advance);
  result.psi = chi;
  result.duality = duality(costs, mu, mu, result.psi, options.lambda);
  return result;
}

}  // namespace ot
