#pragma once

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include "ot/plan/cost_matrix.h"

namespace ot::testing {

/// The value of transport between two measures by successive shortest paths in long double: each source's mass goes,
/// bit by bit, the shortest way to a target with room, back along flows too. Flows that only
/// balance what rounding left of the weights' sums cost nothing.
inline long double transport_value(const CostMatrix& costs, std::span<const double> mu, std::span<const double> nu) {
  constexpr long double infinity = std::numeric_limits<long double>::infinity();
  const std::size_t n = mu.size(), m = nu.size(), none = n + m;
  const auto cost = [&](std::size_t i, std::size_t j) -> long double {
    return costs.row(static_cast<std::int64_t>(i), nullptr)[j];
  };
  std::vector<long double> flow(n * m, 0), room(nu.begin(), nu.end()), potential(n + m, 0);
  for (std::size_t source = 0; source < n; ++source) {
    for (long double left = mu[source]; left > 0;) {
      // Dijkstra's algorithm on sources 0..n-1 and targets n..n+m-1, lengths reduced by the potentials.
      std::vector<long double> length(n + m, infinity);
      std::vector<std::size_t> from(n + m, none);
      std::vector<bool> settled(n + m, false);
      length[source] = 0;
      std::size_t end = none;
      for (;;) {
        std::size_t node = none;
        for (std::size_t k = 0; k < n + m; ++k)
          if (!settled[k] && length[k] < (node == none ? infinity : length[node])) node = k;
        if (node == none) break;
        settled[node] = true;
        if (node >= n && room[node - n] > 0) {
          end = node;
          break;
        }
        for (std::size_t k = 0; k < n + m; ++k) {
          if (settled[k] || (k < n) == (node < n) || (k < n && flow[k * m + node - n] <= 0)) continue;
          const long double c = node < n ? cost(node, k - n) : -cost(k, node - n);
          const long double to = length[node] + std::max(0.0L, c + potential[node] - potential[k]);
          if (to < length[k]) length[k] = to, from[k] = node;
        }
      }
      if (end == none) break;  // what rounding of the sums leaves
      for (std::size_t k = 0; k < n + m; ++k) potential[k] += std::min(length[k], length[end]);
      long double moved = std::min(left, room[end - n]);
      for (std::size_t k = end; k != source; k = from[k])
        if (k < n) moved = std::min(moved, flow[k * m + from[k] - n]);
      for (std::size_t k = end; k != source; k = from[k])
        if (k < n)
          flow[k * m + from[k] - n] -= moved;
        else
          flow[from[k] * m + k - n] += moved;
      left -= moved;
      room[end - n] -= moved;
    }
  }
  long double value = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < m; ++j)
      if (const long double mass = flow[i * m + j]; mass > 0x1p-52L || mass > 0x1p-20L * std::min(mu[i], nu[j]))
        value += mass * cost(i, j);
  return value;
}

}  // namespace ot::testing
