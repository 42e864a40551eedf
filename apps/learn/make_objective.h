#pragma once

#include <cstdint>
#include <memory>

#include "apps/config.h"
#include "apps/learn/classes.h"
#include "apps/learn/objective.h"
#include "apps/options.h"
#include "ot/target.h"

namespace apps {

/// The objective of --method, for a target of such data, which must outlive it. `classes` and `ranks` are for --method
/// semidual. A new method is a line here, and what README.md tells beside. Throws Error as the objectives do, for
/// batches of more points than there are, and for a critic that can't see such data.
std::unique_ptr<Objective> make_objective(const TrainOptions& options, const DataFacts& data, const ot::Target& target,
                                          const PointsOfClasses& classes = {}, const engine::Cluster& ranks = {});

/// About how many values a step holds for each point of a batch, beside the generator's, to tell beforehand whether it
/// fits into memory: those of a critic, of transport between batches, and of the network of --cost-features.
std::int64_t values_per_point(const TrainOptions& options, const DataFacts& data);

}  // namespace apps
