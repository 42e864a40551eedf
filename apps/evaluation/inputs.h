#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/config.h"
#include "apps/evaluate.h"
#include "apps/options.h"
#include "data/dataset.h"

namespace apps::evaluation {

/// What an evaluation compares: the samples of a run or given ones, a reference that was not trained on, and the
/// training points.
struct Inputs {
  std::optional<Config> config;      ///< of the run; none where samples are given
  data::Dataset samples;             ///< no points for a run
  TrainOptions options;              ///< the run's with --data in place of its own, or those of data alone
  data::Dataset training;            ///< of a run scaled as its generator's points are, and so is the reference
  DataFacts facts;                   ///< of the training points
  std::vector<std::uint8_t> labels;  ///< theirs, empty where there are none
  std::vector<std::string> classes;  ///< what these are called
  data::Dataset reference;
  std::string reference_source;
  std::string reference_sha256;
  std::vector<std::uint8_t> reference_labels;
  std::int64_t count = 0;  ///< how many samples are to be compared with as many points of the reference
};

/// Loads them. The reference is --reference, else what --hold-out kept, else the test images of a ready-made set, or
/// digits of another seed. Throws Error for a run or data that can't be read, data or labels that the run did not
/// learn, samples or a reference of other sizes, another range or too few points, no reference, and one that is the
/// training data.
Inputs load_inputs(const EvaluateRequest& request);

}  // namespace apps::evaluation
