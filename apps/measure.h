#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/config.h"
#include "data/dataset.h"
#include "data/labels.h"
#include "engine/tensor.h"
#include "ot/target.h"

namespace apps {

/// The points, [count, dimension]; bytes are divided by 255.
engine::Tensor points_of(const data::Dataset& dataset);

/// A line about what of a folder is not among the points, or how they were read; empty where there is nothing to say.
std::string note_on_left_out(const data::Dataset& dataset);

/// The labels that --labels names for a source's first `points` points (0: all), `count` in all: a file's, or its own;
/// these too, where there are some, for an empty text. Throws Error as data::own_labels() and data::read_labels() do,
/// and for --labels where there are none or as many as there are not points.
data::Labels labels_of(const std::string& labels, const std::string& source, std::int64_t points, std::int64_t count);

/// The weights in the array or table `path` for `count` points, empty for an empty path. Throws Error, naming the
/// `option` and the file, for a file that can't be read or holds another number of them.
std::vector<double> read_weights(const std::string& option, const std::string& path, std::int64_t count);
/// The same, uniform for an empty path. Throws Error too for weights that are negative, not finite or do not sum to 1.
std::vector<double> weights_of(const std::string& option, const std::string& path, std::int64_t count);

/// The measure on the points of a data set with these weights, uniform ones if empty, and the cost to it. Throws Error
/// as ot::Target does. With `ranks` these are the points of this one.
ot::Target make_target(data::Dataset dataset, ot::Cost cost, std::vector<double> weights = {},
                       const engine::Cluster& ranks = {});
/// The same of the part of all points, and of their weights, that this rank takes: whole ot::Shards of so many, as even
/// as can be, or where there is one shard, of all, as many stretches of ot::Target::together points. Throws Error too
/// where there are fewer than ranks, and where not all have the same data.
ot::Target make_shared_target(data::Dataset dataset, ot::Cost cost, std::vector<double> weights,
                              const engine::Cluster& ranks, std::int64_t shards = 1);

/// The part that make_shared_target() would take of a source that has a data::count_for_parts(), with these facts,
/// which this rank loads alone. Of the weights, those of all points, it leaves the part's. Throws Error likewise.
data::Dataset load_part_of_rank(const std::string& source, const DataFacts& facts, std::vector<double>& weights,
                                const engine::Cluster& ranks, std::int64_t shards = 1);

}  // namespace apps
