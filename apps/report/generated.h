#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/config.h"
#include "engine/tensor.h"
#include "models/generator.h"
#include "ot/target.h"

namespace apps::report {

/// Generated images, the first of the run's sample grids, and the training image nearest to each, with its number.
struct Neighbours {
  engine::Tensor images, nearest;  // [n, d]
  std::vector<std::int64_t> numbers;
};
/// Of training points that ranks share, a call that all of them make.
Neighbours neighbours_of(const Config& config, models::Generator& generator, const ot::Target& training);

/// The section that shows them.
std::string neighbours_section(const Config& config, const Neighbours& found);

/// The same section where there are no training points, with the reason.
std::string neighbours_missing(const std::string& why);

/// The section with walks between latent points of the grids.
std::string walk_section(const Config& config, models::Generator& generator);

}  // namespace apps::report
