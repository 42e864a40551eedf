#pragma once

#include <vector>

#include "apps/options.h"
#include "data/dataset.h"
#include "ot/target.h"

namespace apps {

/// The target measure on the points of a data set, with the cost that the options name. Empty weights are uniform.
ot::Target make_target(data::Dataset dataset, const TrainOptions& options, std::vector<double> weights = {});

}  // namespace apps
