#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/console.h"
#include "apps/options.h"

namespace apps {

/// What `semidual compare` was asked. Empty words and zeros are the defaults, on --resume what the comparison has.
struct CompareRequest {
  std::string methods;             ///< words separated by commas
  std::string presets;             ///< paper, best or both
  std::string grid;                ///< the factors of the rates that `best` chooses from
  double seconds = 0;              ///< of iterations, for each run
  std::int64_t seeds = 0;          ///< the runs of a row
  TrainOptions options;            ///< of training; those that are `given` are for all methods
  std::vector<std::string> given;  ///< their names
  std::string features;            ///< as for evaluate
  std::int64_t count = 0;          ///< as for evaluate
  std::string out;                 ///< the folder for the runs and the table
  bool resume = false;             ///< go on with the comparison in `out`
};

/// Whether compare takes this option of train: what every method has a use for, but not what differs between the runs.
bool compare_takes(const std::string& option);

/// Trains the same generator by each method for the same seconds, evaluates it as `semidual evaluate` does, and writes
/// OUT/compare.csv, compare.md, compare.png and report.html: see compare/README.md. Every run stays in OUT/runs and
/// OUT/tries. Returns the exit code: 0, or 130 when interrupted. A run that fails is counted, the others go on. Throws
/// Error, before any run starts, for a request, data and a folder that won't do.
int compare(const CompareRequest& request, const Console& console);

}  // namespace apps
