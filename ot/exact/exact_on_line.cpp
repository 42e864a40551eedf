#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/error.h"
#include "ot/exact/exact.h"
#include "ot/exact/integer_masses.h"

namespace ot {

namespace {
std::vector<std::size_t> order_of(std::span<const double> points) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return points[a] < points[b]; });
  return order;
}
}  // namespace

// Walks up both sorted lists, from one pair of points to the next, always past the point whose mass ends first, past
// both if they end together. Potentials make each pair on the way tight; where it goes past both, psi is what is
// closest to 0 of what the two pairs in the corners allow. Since h is convex they are then feasible everywhere.
ExactTransport exact_transport_on_line(std::span<const double> x, std::span<const double> y, std::span<const double> mu,
                                       std::span<const double> nu, const std::function<double(double, double)>& cost) {
  require_weights("source", mu, static_cast<std::int64_t>(x.size()));
  require_weights("target", nu, static_cast<std::int64_t>(y.size()));
  const IntegerMasses masses(mu, nu);
  const std::vector<std::size_t> sources = order_of(x), targets = order_of(y);
  for (const double most : {cost(x[sources.front()], y[targets.back()]), cost(x[sources.back()], y[targets.front()])})
    engine::require(std::isfinite(most), "[exact] costs must be finite, but points are so far apart that they reach ",
                    most, ": scale the points");
  ExactTransport result;
  result.phi.resize(x.size());
  result.psi.resize(y.size());
  std::size_t a = 0, b = 0;
  Integer left = masses.mu[sources[0]], room = masses.nu[targets[0]];  // of the present pair
  result.psi[targets[0]] = cost(x[sources[0]], y[targets[0]]);
  for (;;) {
    const std::size_t i = sources[a], j = targets[b];
    if (const Integer flow = std::min(left, room); flow > 0) {
      const double mass = masses.mass(flow), c = cost(x[i], y[j]);
      result.plan.push_back({static_cast<std::int64_t>(i), static_cast<std::int64_t>(j), mass});
      result.value += mass * c;
      result.gap += std::max(0.0, mass * (c - result.phi[i] - result.psi[j]));
      left -= flow;
      room -= flow;
    }
    const bool more_sources = a + 1 < x.size(), more_targets = b + 1 < y.size();
    if (!more_sources && !more_targets) break;
    const bool past_source = more_sources && (left == 0 || !more_targets);
    const bool past_target = more_targets && (room == 0 || !past_source);
    if (past_source) left += masses.mu[sources[++a]];
    if (past_target) room += masses.nu[targets[++b]];
    const std::size_t u = sources[a], v = targets[b];
    if (past_source && past_target) {
      const double least = cost(x[u], y[v]) - cost(x[u], y[j]) + result.psi[j];
      const double most = cost(x[i], y[v]) - result.phi[i];
      result.psi[v] = std::max(least, std::min(most, 0.0));
    } else if (past_target) {
      result.psi[v] = cost(x[u], y[v]) - result.phi[u];
    }
    if (past_source) result.phi[u] = cost(x[u], y[v]) - result.psi[v];
  }
  std::sort(result.plan.begin(), result.plan.end(), [](const Flow& f, const Flow& g) {
    return f.source != g.source ? f.source < g.source : f.target < g.target;
  });
  return result;
}

}  // namespace ot
