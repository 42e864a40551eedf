#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/config.h"
#include "apps/hold_out.h"
#include "apps/options.h"
#include "apps/run_folder.h"
#include "data/dataset.h"
#include "engine/cluster/cluster.h"
#include "models/generator.h"
#include "ot/target.h"

namespace apps {

/// What a run starts from, or goes on with.
struct TrainingInputs {
  Config config;                   ///< with all that the data decide but their classes
  data::Dataset dataset;           ///< scaled by config.scaling; no points where each rank is to load its own
  std::vector<double> weights;     ///< of the points; empty where all weigh the same
  RunLabels labels;                ///< those of --labels
  std::vector<std::string> notes;  ///< lines about the data for whoever trains, some of them empty
};

/// Loads them for valid options, but for images that ranks can load in parts, as no more is asked of them than to be
/// learned without classes. With `resume` they are those of the run in `folder`, and scaled as it scaled them.
/// Throws Error for data, weights and labels that can't be read or do not fit each other, no held-out points for
/// --evaluate-every, a generator that is not of the shape of that of --from, and what is not of the run to resume.
TrainingInputs load_inputs(TrainOptions options, const RunFolder& folder, bool resume, const engine::Cluster& ranks);

/// The generator at the start of a new run, that of --from where there is one, or of a resumed run before its
/// checkpoint is read. `points` are what it is to learn, with the classes in `config`. Throws Error where --from has
/// another number of classes.
std::unique_ptr<models::Generator> first_generator(const Config& config, const ot::Target& points, bool resume);

}  // namespace apps
