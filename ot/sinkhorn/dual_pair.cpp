#include "ot/sinkhorn/dual_pair.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::parallel_for;
using engine::simd::kernels;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double most_drift = 4;  // of a potential from its reference, in units of lambda
constexpr int patience = 16;      // iterations with more than that before a held reference moves

/// Whether a step beyond the c-transform by the factor raises the dual, where a point has e^log_ratio of its mass.
bool grows(double factor, double log_ratio) {
  return std::exp(log_ratio) - std::exp((1 - factor) * log_ratio) - factor * log_ratio >= 0;
}

/// The least and the largest of some numbers, in lanes side by side.
class Range {
 public:
  Range() { std::ranges::fill(low_, infinity), std::ranges::fill(high_, -infinity); }

  void include(std::span<const double> values) {
    std::size_t k = 0;
    for (; k + lanes <= values.size(); k += lanes)
      for (std::size_t l = 0; l < lanes; ++l) include(l, values[k + l]);
    for (; k < values.size(); ++k) include(0, values[k]);
  }
  double low() const { return *std::ranges::min_element(low_); }
  /// Their difference; not finite where one of them is not.
  double size() const {
    return *std::ranges::max_element(high_) - low() + std::accumulate(undefined_, undefined_ + lanes, 0.0);
  }

 private:
  static constexpr std::size_t lanes = 16;

  void include(std::size_t l, double value) {
    low_[l] = value < low_[l] ? value : low_[l];
    high_[l] = value > high_[l] ? value : high_[l];
    undefined_[l] += value - value;
  }

  double low_[lanes], high_[lanes], undefined_[lanes] = {};  // the last 0, or NaN
};

}  // namespace

/// What a piece of the rows is worked on in.
struct DualPair::Workspace {
  ReducedCosts::Buffers buffers;
  std::vector<real> shifts;    // of each row of a tile
  std::vector<double> totals;  // likewise
  std::vector<real> terms;     // of these rows with all columns
  real* sums;                  // of the two plans' columns over the piece, [2, m]; null if they are not wanted
};

DualPair::DualPair(const CostMatrix& costs, std::span<const double> mu, std::span<const double> nu, double most_held)
    : costs_(costs),
      mu_(mu),
      nu_(nu),
      n_(costs.rows()),
      m_(costs.columns()),
      reduced_(costs, most_held),
      phi_(mu.size()),
      psi_(nu.size(), 0),
      softmin_(mu.size()),
      q_(nu.size()),
      moved_q_(nu.size()),
      offsets_(nu.size()) {
  measure_range();
  softmin_ = phi_;
  reduced_.refer_to(phi_, psi_);
}

void DualPair::measure_range() {
  constexpr std::int64_t most_rows = 16, most_columns = 1024;
  std::vector<double> largest(mu_.size());
  parallel_for(n_, most_rows, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> costs(static_cast<std::size_t>(most_rows * most_columns));
    std::vector<Range> ranges(static_cast<std::size_t>(end - begin));
    for (std::int64_t first = 0; first < m_; first += most_columns) {
      const CostTile tile{begin, end - begin, first, std::min(most_columns, m_ - first)};
      costs_.tile(tile, costs.data());
      for (std::size_t r = 0; r < ranges.size(); ++r)
        ranges[r].include(
            {costs.data() + r * static_cast<std::size_t>(tile.columns), static_cast<std::size_t>(tile.columns)});
    }
    for (std::size_t r = 0; r < ranges.size(); ++r) {
      phi_[static_cast<std::size_t>(begin) + r] = ranges[r].low();
      largest[static_cast<std::size_t>(begin) + r] = ranges[r].size();
    }
  });
  for (const double size : largest) {
    engine::require(size <= most_range, "[sinkhorn] costs must be finite, and not too far apart: a point's differ by ",
                    size, ", at most ", most_range, " will do; scale the points");
    range_ = std::max(range_, size);
  }
}

void DualPair::move_phi(double lambda, double factor, bool with_marginals) {
  if (!reduced_.held() || (drift() > most_drift * lambda && ++drifted_ >= patience)) {
    reduced_.refer_to(phi_, psi_);
    drifted_ = 0;
  }
  // A factor m makes the sum of nu_j m e_ij one of m terms of the order of 1.
  for (std::size_t j = 0; j < nu_.size(); ++j)
    offsets_[j] = static_cast<real>(psi_[j] - reduced_.psi()[j] + lambda * std::log(nu_[j] * static_cast<double>(m_)));
  const std::int64_t grain = costs_.rows_per_piece(), pieces = (n_ + grain - 1) / grain;
  std::vector<real> sums(with_marginals ? static_cast<std::size_t>(2 * pieces * m_) : 0, 0);
  parallel_for(n_, grain, [&](std::int64_t begin, std::int64_t end) {
    Workspace space;
    space.sums = with_marginals ? sums.data() + begin / grain * 2 * m_ : nullptr;
    const std::int64_t step = reduced_.rows_at_once();
    for (std::int64_t i = begin; i < end; i += step) move_rows(i, std::min(end, i + step), lambda, factor, space);
  });
  if (!with_marginals) return;
  std::ranges::fill(q_, 0);
  std::ranges::fill(moved_q_, 0);
  for (auto sum = sums.begin(); sum != sums.end();) {
    for (double& q : q_) q += *sum++;
    for (double& q : moved_q_) q += *sum++;
  }
}

void DualPair::move_rows(std::int64_t begin, std::int64_t end, double lambda, double factor, Workspace& space) {
  const auto rows = static_cast<std::size_t>(end - begin);
  const auto rate = static_cast<real>(1 / lambda);
  space.shifts.resize(rows);
  space.totals.resize(rows);
  space.terms.resize(rows * nu_.size());
  // The last phi is about the softmin, which saves looking for the minimum.
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t i = static_cast<std::size_t>(begin) + r;
    space.shifts[r] = static_cast<real>(phi_[i] - reduced_.phi()[i]);
  }
  sum_terms({begin, end - begin, 0, m_}, rate, space.shifts.data(), space.terms.data(), space.totals.data(),
            space.buffers);
  for (std::size_t r = 0; r < rows; ++r) {
    if (space.totals[r] > 1e-6 && space.totals[r] < 1e20) continue;
    const std::int64_t i = begin + static_cast<std::int64_t>(r);
    space.shifts[r] = least(i, space.buffers);
    sum_terms({i, 1, 0, m_}, rate, &space.shifts[r], &space.terms[r * nu_.size()], &space.totals[r], space.buffers);
  }

  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t i = static_cast<std::size_t>(begin) + r;
    softmin_[i] = reduced_.phi()[i] + space.shifts[r] - lambda * std::log(space.totals[r] / static_cast<double>(m_));
    const double log_ratio = (phi_[i] - softmin_[i]) / lambda;
    phi_[i] = grows(factor, log_ratio) ? phi_[i] - factor * lambda * log_ratio : softmin_[i];
  }
  if (space.sums) add_columns(begin, rows, lambda, space);
}

void DualPair::add_columns(std::int64_t begin, std::size_t rows, double lambda, Workspace& space) const {
  for (std::int64_t first = 0; first < m_; first += reduced_.columns_at_once())
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t i = static_cast<std::size_t>(begin) + r;
      const std::int64_t columns = std::min(reduced_.columns_at_once(), m_ - first);
      const real* terms = &space.terms[r * nu_.size()] + first;
      const double weight = mu_[i] / space.totals[r], moved = weight * std::exp((phi_[i] - softmin_[i]) / lambda);
      kernels().axpy(columns, static_cast<real>(weight), terms, space.sums + first);
      kernels().axpy(columns, static_cast<real>(moved), terms, space.sums + m_ + first);
    }
}

/// The terms e^{(shift_i - u_ij) / lambda} of some rows, [rows, m], and their totals.
void DualPair::sum_terms(const CostTile& rows, real rate, const real* shifts, real* terms, double* totals,
                         ReducedCosts::Buffers& buffers) const {
  std::fill_n(totals, rows.rows, 0.0);
  const std::int64_t step = reduced_.columns_at_once();
  for (std::int64_t first = 0; first < m_; first += step) {
    const std::int64_t columns = std::min(step, m_ - first);
    const ReducedCosts::Tile tile = reduced_.tile({rows.first_row, rows.rows, first, columns}, buffers);
    for (std::int64_t r = 0; r < rows.rows; ++r)
      totals[r] += static_cast<double>(kernels().exp_affine(
          columns, tile.data + r * tile.stride, -1, offsets_.data() + first, shifts[r], rate, terms + r * m_ + first));
  }
}

/// The least u of row i.
real DualPair::least(std::int64_t i, ReducedCosts::Buffers& buffers) const {
  real least = std::numeric_limits<real>::infinity();
  const std::int64_t step = reduced_.columns_at_once();
  for (std::int64_t first = 0; first < m_; first += step) {
    const std::int64_t columns = std::min(step, m_ - first);
    const ReducedCosts::Tile tile = reduced_.tile({i, 1, first, columns}, buffers);
    least = std::min(least, kernels().min_affine(columns, tile.data, -1, offsets_.data() + first).value);
  }
  return least;
}

// Where the marginal has underflowed, phi^{c,lambda} comes from its definition.
void DualPair::move_psi(double lambda, double factor) {
  constexpr double least = 1e-20;
  std::vector<std::int64_t> underflowed;
  for (std::size_t j = 0; j < nu_.size(); ++j) {
    if (nu_[j] == 0) continue;
    if (moved_q_[j] > least * nu_[j]) {
      const double log_ratio = std::log(moved_q_[j] / nu_[j]);
      psi_[j] -= (grows(factor, log_ratio) ? factor : 1) * lambda * log_ratio;
    } else {
      underflowed.push_back(static_cast<std::int64_t>(j));
    }
  }
  transform_columns(underflowed, phi_, lambda);
}

void DualPair::extend(double lambda) {
  std::vector<std::int64_t> massless;
  for (std::size_t j = 0; j < nu_.size(); ++j)
    if (nu_[j] == 0) massless.push_back(static_cast<std::int64_t>(j));
  transform_columns(massless, softmin_, lambda);
}

void DualPair::transform_columns(const std::vector<std::int64_t>& columns, std::span<const double> phi, double lambda) {
  parallel_for(static_cast<std::int64_t>(columns.size()), std::max<std::int64_t>(8, (1 << 15) / n_),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t k = begin; k < end; ++k) {
                   const std::int64_t j = columns[static_cast<std::size_t>(k)];
                   psi_[static_cast<std::size_t>(j)] = column_softmin(j, phi, lambda);
                 }
               });
}

double DualPair::column_softmin(std::int64_t j, std::span<const double> phi, double lambda) const {
  constexpr std::int64_t most_rows = 1024;
  std::vector<double> u(phi.size());
  for (std::int64_t i = 0; i < n_; i += most_rows) costs_.tile({i, std::min(most_rows, n_ - i), j, 1}, u.data() + i);
  double least = infinity, total = 0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    u[i] -= phi[i];
    if (mu_[i] > 0) least = std::min(least, u[i]);
  }
  for (std::size_t i = 0; i < u.size(); ++i)
    if (mu_[i] > 0) total += mu_[i] * std::exp((least - u[i]) / lambda);
  return least - lambda * std::log(total);
}

double DualPair::marginal_error() const {
  double error = 0;
  for (std::size_t j = 0; j < nu_.size(); ++j) error += std::abs(q_[j] - nu_[j]);
  return error;
}

double DualPair::dual() const {
  double value = 0;
  for (std::size_t i = 0; i < mu_.size(); ++i) value += mu_[i] * softmin_[i];
  for (std::size_t j = 0; j < nu_.size(); ++j) value += nu_[j] * psi_[j];
  return value;
}

double DualPair::drift() const {
  double most = 0;
  for (std::size_t i = 0; i < phi_.size(); ++i) most = std::max(most, std::abs(phi_[i] - reduced_.phi()[i]));
  for (std::size_t j = 0; j < psi_.size(); ++j) most = std::max(most, std::abs(psi_[j] - reduced_.psi()[j]));
  return most;
}

}  // namespace ot
