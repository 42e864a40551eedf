#include "apps/compare/rates.h"

#include <limits>
#include <ostream>

#include "apps/compare/runs.h"

namespace apps::comparing {

std::optional<double> best_factor(const Comparison& comparison, const Entry& entry, const Validation& validation,
                                  const Console& console) {
  double best = comparison.factors.front(), least = std::numeric_limits<double>::infinity();
  const double seconds = comparison.seconds / static_cast<double>(comparison.factors.size());
  for (const double factor : comparison.factors) {
    const RunFolder trial = comparison.trial(entry, factor);
    TrainOptions options = comparison.options(entry, factor, comparison.first_seed, seconds);
    options.hold_out = validation.hold_out();
    const std::optional<Outcome> outcome = make_run(trial, options, console);
    if (!outcome) return {};
    if (!outcome->failure.empty()) continue;
    if (const double distance = validation.distance(trial); distance < least) best = factor, least = distance;
  }
  console.out << entry.method << ": rates times " << best << std::endl;
  return best;
}

}  // namespace apps::comparing
