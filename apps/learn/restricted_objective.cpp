#include "apps/learn/restricted_objective.h"

#include <vector>

#include "apps/checkpoint.h"
#include "apps/learn/rate_schedule.h"
#include "engine/error.h"
#include "ot/search/point_index.h"

namespace apps {

namespace {

ot::ClusterTree::Parents parents_of(const TrainOptions& options, const ot::Target& target) {
  const std::vector<std::int64_t> branches = numbers_of("branches", options.branches);
  double clusters = 1;
  for (const std::int64_t number : branches) clusters *= static_cast<double>(number);
  engine::require(clusters <= static_cast<double>(target.size()), "--branches ", options.branches, " makes more ",
                  "clusters than there are points, ", target.size(), ": take fewer, or auto");
  return ot::nested_clusters(ot::PointIndex(target), branches);
}

}  // namespace

RestrictedObjective::RestrictedObjective(const TrainOptions& options, const ot::Target& target)
    : options_(options),
      target_(target),
      psi_(target, parents_of(options, target)),
      ascent_(psi_, options.dual_lr, options.dual_decay) {}

void RestrictedObjective::begin(double progress) {
  ascent_.set_rate(options_.dual_lr * share_of_rate(options_.dual_schedule, progress, 0.05));
  ascent_.begin();
}

engine::Var RestrictedObjective::loss(const engine::Var& x, const engine::Tensor&, std::int64_t) {
  return psi_.semidual(x);
}

std::int64_t RestrictedObjective::most_state_bytes() {
  return bytes_of(learned());
}

}  // namespace apps
