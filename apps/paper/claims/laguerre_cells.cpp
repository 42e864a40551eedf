#include "apps/paper/claims/laguerre_cells.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "apps/paper/claims/setting.h"
#include "engine/random.h"
#include "ot/c_transform.h"

namespace apps::claims {

namespace {

constexpr std::int64_t B = 64, J = 20, d = 3;

std::vector<std::int64_t> T(const ot::Target& nu, const Tensor& psi, const Tensor& x) {
  return ot::c_transform(nu, x, psi, 0).winners;
}

Tensor sum(const Tensor& a, const Tensor& b) {
  Tensor result = a.clone();
  for (std::int64_t k = 0; k < a.size(); ++k) result.data()[k] += b.data()[k];
  return result;
}

/// The least c(x, y_j) - psi_j but for the best, and how far it is above.
struct Next {
  std::int64_t j;
  double margin;
};

Next next_best(const ot::Target& nu, const Tensor& psi, const real* x) {
  const auto u = [&](std::int64_t j) { return c(nu, x, j) - psi.data()[j]; };
  std::int64_t best = 0, next = 1;
  if (u(next) < u(best)) std::swap(best, next);
  for (std::int64_t j = 2; j < J; ++j)
    if (u(j) < u(best))
      next = std::exchange(best, j);
    else if (u(j) < u(next))
      next = j;
  return {next, u(next) - u(best)};
}

/// How many of some were found.
struct Share {
  double found = 0, of = 0;

  double value() const { return found / of; }  ///< NaN for none of none
};

/// Looks at T in the neighbourhood (42) of (psi, x_i), which surely reaches to where 2 |c - psi - (c' - psi')|_inf is
/// the margin.
void count_changes(const ot::Target& nu, const Tensor& psi, const Tensor& x, const Tensor& psi_there,
                   const Tensor& x_there, Share& changed) {
  const std::vector<std::int64_t> here = T(nu, psi, x), there = T(nu, psi_there, x_there);
  for (std::int64_t i = 0; i < B; ++i) {
    const real *x_i = x.data() + i * d, *x_i_there = x_there.data() + i * d;
    double change = 0;
    for (std::int64_t j = 0; j < J; ++j)
      change = std::max(change,
                        std::abs(c(nu, x_i_there, j) - c(nu, x_i, j) - (double{psi_there.data()[j]} - psi.data()[j])));
    if (2 * change > next_best(nu, psi, x_i).margin - 100 * epsilon) continue;
    changed.of += 1;
    changed.found += here[static_cast<std::size_t>(i)] != there[static_cast<std::size_t>(i)];
  }
}

/// Moves psi to where each x_i is on a tie, and looks at T on either side.
void count_jumps(const ot::Target& nu, const Tensor& psi, const Tensor& x, Share& jumps) {
  for (std::int64_t i = 0; i < B; ++i) {
    const Tensor x_i({1, d}, {x.data() + i * d, x.data() + (i + 1) * d});
    const Next next = next_best(nu, psi, x_i.data());
    const auto T_beyond_tie = [&](double by) {
      Tensor moved = psi.clone();
      moved.data()[next.j] += static_cast<real>(next.margin + by);
      return T(nu, moved, x_i)[0];
    };
    for (const double distance : {1e-2, 1e-3, 1e-4}) {
      jumps.of += 1;
      jumps.found += T_beyond_tie(-distance) != T_beyond_tie(distance);
    }
  }
}

}  // namespace

std::vector<Row> lemma_4(std::uint64_t seed) {
  const ot::Target nu = random_nu(seed, J, d);
  Share changes, jumps;
  std::uint64_t stream = 10;
  for (const double deviation : {0.0, 0.1, 1.0, 3.0}) {
    const Tensor psi = random_potential(seed, stream++, J, deviation), x = random_points(seed, stream++, B, d);
    for (const double distance : {0.001, 0.01, 0.1}) {
      const Tensor in_psi = random_potential(seed, stream++, J, distance),
                   in_x = engine::Random(seed, stream++).normal({B, d}, 0, static_cast<real>(distance));
      count_changes(nu, psi, x, sum(psi, in_psi), sum(x, in_x), changes);
    }
    count_jumps(nu, psi, x, jumps);
  }
  return {
      {"Lemma 4: T is locally constant off the ties", "share of neighbours where T differs", changes.value(), 0},
      {"Lemma 4 as printed, on A_psi, the ties", "share of ties where T jumps", jumps.value(), 1, Row::Side::at_least,
       "Lemma 4 says that T is locally constant on R^J x A_psi, but A_psi (39) is where there are ties: T is not "
       "defined there, and jumps however little psi moves. It is locally constant on the complement, which the "
       "proof shows and Theorem 3 uses."}};
}

}  // namespace apps::claims
