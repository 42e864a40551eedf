#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/feature_network.h"
#include "apps/options.h"
#include "apps/run_folder.h"
#include "data/dataset.h"

namespace apps::comparing {

/// Which of `count` points a trial is compared with: a tenth of all, beside the share of --hold-out, or where that is
/// more than 2000 as many of it, at random by the seed.
std::vector<std::int64_t> validation_points(std::int64_t count, double hold_out, std::uint64_t seed);

/// What is left out of the training points of a trial, beside the share that --hold-out keeps for the table, so that
/// rates are chosen by points that neither were trained on nor are evaluated with.
class Validation {
 public:
  /// Of runs with these options. Features are those of the file, of an untrained network without one.
  Validation(const TrainOptions& options, const std::string& features);

  /// --hold-out of a trial.
  double hold_out() const { return hold_out_; }
  /// From fresh samples of a trial to as many of the points: of images the Fréchet distance in features, of others the
  /// exact transport, the mean of |x - y|^2, as the run scales them. Infinite where it is no number.
  double distance(const RunFolder& trial) const;

 private:
  double hold_out_;
  data::Dataset points_;
  std::optional<FeatureNetwork> features_;
};

/// Throws Error unless there are points enough for it.
void require_validation(const TrainOptions& options);

}  // namespace apps::comparing
