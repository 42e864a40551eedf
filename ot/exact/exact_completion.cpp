#include "ot/exact/exact_completion.h"

#include <cstdint>
#include <utility>

namespace ot {

namespace {
constexpr double negligible = 1e-12;  // mass, about what rounding leaves

/// Points with some mass, and their shares of it all.
struct Rest {
  std::vector<std::int64_t> points;
  std::vector<double> shares;
  double mass = 0;

  explicit Rest(std::span<const double> masses) {
    for (const double m : masses) mass += m;
    for (std::size_t k = 0; k < masses.size(); ++k) {
      if (masses[k] <= 0) continue;
      points.push_back(static_cast<std::int64_t>(k));
      shares.push_back(masses[k] / mass);
    }
  }
  std::int64_t size() const { return static_cast<std::int64_t>(points.size()); }
};
}  // namespace

Completion exact_completion(const CostMatrix& costs, const ExactObserver& observer) {
  return [&costs, observer](std::span<const double> left, std::span<const double> room) {
    const Rest sources(left), targets(room);
    if (sources.mass < negligible || targets.mass < negligible) return std::vector<Flow>();
    std::vector<double> values, buffer(static_cast<std::size_t>(costs.columns()));
    for (const std::int64_t i : sources.points) {
      const double* row = costs.row(i, buffer.data());
      for (const std::int64_t j : targets.points) values.push_back(row[j]);
    }
    std::vector<Flow> flows =
        exact_transport({sources.size(), targets.size(), std::move(values)}, sources.shares, targets.shares, observer)
            .plan;
    for (Flow& flow : flows)
      flow = {sources.points[static_cast<std::size_t>(flow.source)],
              targets.points[static_cast<std::size_t>(flow.target)], flow.mass * sources.mass};
    return flows;
  };
}

}  // namespace ot
