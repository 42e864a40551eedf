#pragma once

#include "engine/cluster/cluster.h"
#include "ot/named_tensors.h"

namespace apps {

/// The tensors of all ranks, one rank's after the other's: a call that all of them make.
ot::NamedTensors gathered(const ot::NamedTensors& own, const engine::Cluster& ranks);

}  // namespace apps
