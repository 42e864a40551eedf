#pragma once

#include <memory>

#include "apps/options.h"
#include "models/psi_network.h"
#include "ot/dual_solver.h"
#include "ot/potential.h"
#include "ot/target.h"

namespace apps {

/// A dual potential and what moves it, as --dual, --lambda and the --dual- options ask.
struct Dual {
  /// psi = 0 for a vector, the seed's initial weights for a network. The target must outlive it. Throws Error where a
  /// step length is refused.
  Dual(const TrainOptions& options, const ot::Target& target);

  std::unique_ptr<models::PsiNetwork> network;  ///< null for a vector
  std::unique_ptr<ot::Potential> psi;
  std::unique_ptr<ot::DualSolver> solver;
};

}  // namespace apps
