#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/learn/classes.h"
#include "apps/learn/dual.h"
#include "apps/learn/rows.h"
#include "apps/options.h"
#include "ot/subset.h"
#include "ot/target.h"

namespace apps {

/// What the names of a class's tensors begin with in a checkpoint: `class.NUMBER.`.
std::string class_prefix(std::int64_t number);

/// One of the measures that are learned, with the potential that costs to it are told by: that of the data or, for a
/// conditional generator, that of a class on its own. To a point of another class transport costs infinity, so that
/// H (99) is the sum over classes of their share times their own H, of the rows of a batch that are asked to be of
/// them.
struct ClassDual {
  /// Of all points.
  ClassDual(const TrainOptions& options, const ot::Target& data);
  /// Of these points of the data, whose share in nu this is. Throws Error where they weigh nothing.
  ClassDual(const TrainOptions& options, const ot::Target& data, const std::vector<std::int64_t>& of_class,
            std::int64_t its_number, double its_share);

  std::unique_ptr<const ot::Subset> points;  ///< null for all
  const ot::Target& target;                  ///< the measure on them
  std::int64_t number = 0;                   ///< of its class
  double share = 1;
  std::string prefix;                 ///< of its tensors' names in a checkpoint
  Rows of_dual_batch, of_batch;       ///< its rows of a batch for psi and for theta
  std::int64_t points_of_a_step = 0;  ///< with --target-batch
  double W_nu_nu = 0;                 ///< the constant of a Sinkhorn divergence
  Dual dual;
};

/// The classes that one of so many ranks learns: consecutive ones, at least one for each rank, whose shares come as
/// near to equal ones as they can be dealt out in turn. There must be as many classes as ranks.
Rows classes_of_rank(const std::vector<double>& shares, int rank, int ranks);

/// Those of a run: one, or with classes one for each that has points, in the order of their numbers, with their parts
/// of the batches; where the run is shared, of the classes of this rank. Throws Error as a Dual does, where --batch or
/// --dual-batch is less than the number of classes, and where steps are to see more points than there are.
std::vector<std::unique_ptr<ClassDual>> class_duals(const TrainOptions& options, const ot::Target& data,
                                                    const PointsOfClasses& classes, const engine::Cluster& ranks);

}  // namespace apps
