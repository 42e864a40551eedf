#include <algorithm>
#include <numeric>

#include "ot/exact.h"
#include "ot/integer_masses.h"

namespace ot {

namespace {
std::vector<std::size_t> order_of(std::span<const double> points) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return points[a] < points[b]; });
  return order;
}
}  // namespace

// Walks up both sorted lists, from one pair of points to the next, always past the point whose mass ends first.
// Potentials make each pair on the way tight; since h is convex they are then feasible everywhere.
ExactTransport exact_transport_on_line(std::span<const double> x, std::span<const double> y, std::span<const double> mu,
                                       std::span<const double> nu, const std::function<double(double, double)>& cost) {
  require_weights("source", mu, static_cast<std::int64_t>(x.size()));
  require_weights("target", nu, static_cast<std::int64_t>(y.size()));
  const IntegerMasses masses(mu, nu, std::int64_t{1} << 60);
  const std::vector<std::size_t> sources = order_of(x), targets = order_of(y);
  ExactTransport result;
  result.phi.resize(x.size());
  result.psi.resize(y.size());
  std::size_t a = 0, b = 0;
  std::int64_t left = masses.mu[sources[0]], room = masses.nu[targets[0]];  // of the present pair
  result.psi[targets[0]] = cost(x[sources[0]], y[targets[0]]);
  for (;;) {
    const std::size_t i = sources[a], j = targets[b];
    const std::int64_t flow = std::min(left, room);
    if (flow >= masses.least) {
      result.plan.push_back({static_cast<std::int64_t>(i), static_cast<std::int64_t>(j), masses.mass(flow)});
      result.value += masses.mass(flow) * cost(x[i], y[j]);
    }
    left -= flow;
    room -= flow;
    const bool more_sources = a + 1 < x.size(), more_targets = b + 1 < y.size();
    if (more_sources && (left == 0 || !more_targets)) {
      const std::size_t next = sources[++a];
      left += masses.mu[next];
      result.phi[next] = cost(x[next], y[j]) - result.psi[j];
    } else if (more_targets) {
      const std::size_t next = targets[++b];
      room += masses.nu[next];
      result.psi[next] = cost(x[i], y[next]) - result.phi[i];
    } else {
      break;
    }
  }
  std::sort(result.plan.begin(), result.plan.end(), [](const Flow& f, const Flow& g) {
    return f.source != g.source ? f.source < g.source : f.target < g.target;
  });
  return result;
}

}  // namespace ot
