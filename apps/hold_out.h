#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "apps/options.h"
#include "data/dataset.h"

namespace apps {

/// Which of `count` points --hold-out leaves out of training, in increasing order: the last floor(share count) in a
/// random order that depends on the count alone.
std::vector<std::int64_t> held_out_points(std::int64_t count, double share);

/// The points of a data set with these numbers, in this order.
data::Dataset points_at(const data::Dataset& dataset, std::span<const std::int64_t> points);

/// The data of a run.
struct RunData {
  data::Dataset training;  ///< in the order of the source
  data::Dataset held_out;  ///< no points without --hold-out
};

/// Loads --data, the first --points of it, and leaves out what --hold-out asks for. Throws Error as data::load() does,
/// and where the share is less than a point.
RunData load_run_data(const TrainOptions& options);

/// Throws Error, which tells the purpose, unless a run has points that are not trained on: `least` of --hold-out, which
/// has kept so many, or those that ready-made sets and digits have.
void require_held_out(const TrainOptions& options, std::int64_t held_out, std::int64_t least,
                      const std::string& purpose);

/// The labels of load_run_data()'s points, of which there are `count` in all; empty where there are none.
struct RunLabels {
  std::vector<std::uint8_t> training, held_out;
  std::vector<std::string> classes;  ///< their names
};
/// Those of --labels, or without it the source's own. Throws Error as data::own_labels() and data::read_labels() do,
/// and for --labels where there are none or as many as there are not points.
RunLabels load_run_labels(const TrainOptions& options, std::int64_t count);

}  // namespace apps
