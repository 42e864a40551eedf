#pragma once

#include <functional>
#include <string>

#include "apps/config.h"
#include "models/generator.h"
#include "ot/target.h"

namespace apps::report {

/// The section that shows generated images, the first of the run's sample grids, each over the training image nearest
/// to it.
std::string neighbours_section(const Config& config, models::Generator& generator, const ot::Target& training);

/// The same section where there are no training points, with the reason.
std::string neighbours_missing(const std::string& why);

/// The section with walks between latent points of the grids.
std::string walk_section(const Config& config, models::Generator& generator);

}  // namespace apps::report
