#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "apps/console.h"
#include "apps/options.h"
#include "apps/run_folder.h"

namespace apps::comparing {

/// What has become of a run, as its outcome.json says.
struct Outcome {
  std::int64_t iterations = 0;
  double seconds = 0;                ///< of all iterations
  std::optional<double> peak_bytes;  ///< of the process while it trained; none where that is not known
  std::string failure;               ///< why it ended early; empty where it did not
};

/// Trains in this folder, goes on with what is there, or takes as it is a run that has ended, well or not; but one that
/// failed before its first iteration is tried again. None when interrupted. What ends a run early is its failure, told
/// on console.err; but Error is thrown where a run that is there can't be gone on with.
std::optional<Outcome> make_run(const RunFolder& run, const TrainOptions& options, const Console& console);

/// Makes a run that has ended one that failed, and tells why.
void fail_run(const RunFolder& run, Outcome& outcome, const std::string& failure, const Console& console);

/// A number that `semidual evaluate` leaves, and that of training points in the samples' place.
struct Measured {
  std::optional<double> value, floor;
};
/// What evaluation.json has, by keys; nothing without such a file.
std::map<std::string, Measured> measures_of(const RunFolder& run);

}  // namespace apps::comparing
