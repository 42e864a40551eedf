#pragma once

#include <stdexcept>
#include <string>

#include "apps/console.h"
#include "apps/options.h"

namespace apps {

/// What `semidual train` was asked.
struct TrainRequest {
  TrainOptions options;
  std::string out;       ///< the run folder
  bool resume = false;   ///< go on with the run in `out`, from its last checkpoint
  bool force = false;    ///< replace the run in `out`
  bool verbose = false;  ///< tell at each checkpoint which ways c-transforms took
  std::string title;     ///< of one run among several: put before its progress, which is then all that is told of it
};

/// Runs Algorithm 1 and keeps its run folder: see DataFacts, Config, Metrics, Checkpoint. Returns the exit code: 0 when
/// all iterations are done, 130 when it was interrupted. Throws Error, before anything is written, for options, data
/// and folders that won't do, and Failure once the run has begun.
int train(const TrainRequest& request, const Console& console);

}  // namespace apps
