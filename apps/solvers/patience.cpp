#include "apps/solvers/patience.h"

#include <cmath>

#include "engine/error.h"

namespace apps {

bool Patience::solve(const ot::ExactProgress& progress) const {
  return observer_({.words = progress.unplaced > 0
                                 ? engine::text("placed ", std::lround(100 * (1 - progress.unplaced)), "% of the mass")
                                 : engine::text("all mass is placed, round ", progress.rounds + 1, " of pricing")});
}

bool Patience::finish(const std::string& words) const {
  using Clock = std::chrono::steady_clock;
  if (observer_({.words = words})) return true;
  const Clock::duration now = Clock::now().time_since_epoch();
  Clock::rep since = 0;
  if (ended_.compare_exchange_strong(since, now.count())) since = now.count();
  return now - Clock::duration(since) < std::chrono::milliseconds(500);
}

ot::CostMatrix costs_while(const std::function<bool()>& go_on, const ot::PrecisePoints& x, const ot::PrecisePoints& y,
                           const ot::Target& target) {
  const ot::CostMatrix costs = ot::cost_matrix(x, y, target.scale(), target.ground_cost());
  return {x.count, y.count, [costs, go_on](const ot::CostTile& tile, double* out) {
            if (!go_on()) throw Ended();
            costs.tile(tile, out);
          }};
}

}  // namespace apps
