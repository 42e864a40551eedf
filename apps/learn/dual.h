#pragma once

#include <memory>
#include <string>

#include "apps/config.h"
#include "apps/options.h"
#include "apps/run_folder.h"
#include "models/psi_network.h"
#include "ot/ascent/dual_solver.h"
#include "ot/potential.h"
#include "ot/search/point_index.h"
#include "ot/shards.h"
#include "ot/transformer.h"

namespace apps {

/// A dual potential and what moves it, as --dual, --lambda and the --dual- options ask.
struct Dual {
  /// psi = 0 for a vector, the seed's initial weights for a network. The target must outlive it. Throws Error where a
  /// step length is refused.
  Dual(const TrainOptions& options, const ot::Target& target);

  std::unique_ptr<const ot::Shards> shards;     ///< of --shards; null for one
  std::shared_ptr<const ot::PointIndex> index;  ///< of all points, for layers, and for a network without shards
  ot::Transformer transform;                    ///< which the solver takes c-transforms by
  std::unique_ptr<models::PsiNetwork> network;  ///< null but for a network
  std::unique_ptr<ot::Potential> psi;
  std::unique_ptr<ot::DualSolver> solver;
};

/// psi at the points of the run's target, or that of a class whose tensors' names have this prefix, [J], as the
/// checkpoint in its folder holds it. Throws Error naming the checkpoint for one that can't be read or does not fit.
engine::Tensor psi_of_run(const RunFolder& run, const Config& config, const ot::Target& target,
                          const std::string& prefix = "");

}  // namespace apps
