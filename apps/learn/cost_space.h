#pragma once

#include <optional>

#include "apps/config.h"
#include "apps/feature_network.h"
#include "apps/options.h"
#include "data/dataset.h"
#include "engine/cluster/cluster.h"
#include "engine/tape.h"
#include "models/edge_map.h"

namespace apps {

/// Where the cost of moving a generated point to one of the data is taken: both are mapped there first, with --edges by
/// models::EdgeMap, with --cost-features by the network of that file, otherwise not at all.
class CostSpace {
 public:
  /// Throws Error for --edges or --cost-features and points that are no images, and for a file that can't be read, is
  /// for other images, or not the one that the data's facts have the checksum of.
  CostSpace(const TrainOptions& options, const DataFacts& data);

  /// Whether it is another space than that of the points.
  bool mapped() const { return edges_ || features_; }
  /// The points of `dataset` in this space. Where they are bytes and edges they stay bytes, rounded to the nearest in a
  /// scale in which the largest coordinate is 1, so that they are searched and multiplied as bytes are.
  /// With `ranks` these are the points of this one, and the largest coordinate that of all.
  data::Dataset map(data::Dataset dataset, const engine::Cluster& ranks = {});
  /// x [B, d] in the same space and scale as the last data set that map() took.
  engine::Var operator()(const engine::Var& x) const;

 private:
  engine::Var unscaled(const engine::Var& x) const;

  std::optional<models::EdgeMap> edges_;
  std::optional<FeatureNetwork> features_;
  double scale_ = 1;
};

}  // namespace apps
