#pragma once

#include <cstdint>

#include "apps/config.h"
#include "apps/learn/classes.h"
#include "apps/options.h"
#include "apps/run_folder.h"
#include "apps/train.h"

namespace apps {

/// Throws Error unless `folder`, which is --out, can take the run: without --resume and --force it must hold none, for
/// --resume one with its config.json and a checkpoint.
void require_folder_fits(const TrainRequest& request, const RunFolder& folder);

/// Throws Error, with both values, unless a run of `now` goes on with the run of `before`: in the same precision, on
/// the same points, weights and labels, and with all options alike but those that --resume may change.
void require_same_run(Config before, const Config& now);

/// Whether the data are learned class by class.
inline bool by_class(const TrainOptions& options) {
  return !options.labels.empty() || options.clusters > 0;
}

/// Throws Error for a run that several ranks can't share: of a method other than semidual, and without classes of a
/// Sinkhorn divergence, of steps that see a part of the points, and, at lambda > 0 or of a network psi, of fewer shards
/// than ranks; and for more shards than the data have, on one process too. Then for fewer classes than ranks.
void require_shareable(const Config& config, const engine::Cluster& ranks);
void require_shareable(const Classes& classes, const engine::Cluster& ranks);

/// Throws Error unless there is the memory for batches of this run and a state of so many bytes, and on the disk of
/// --out the room for two checkpoints of it, the pictures, metrics.csv and the report.
void require_resources(const TrainRequest& request, const Config& config, std::int64_t state_bytes);

}  // namespace apps
