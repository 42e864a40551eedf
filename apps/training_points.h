#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "apps/config.h"
#include "engine/tensor.h"
#include "ot/target.h"

namespace apps {

/// The points that a run learns, loaded once more and scaled, with its weights and its cost. Throws Error where they
/// are no longer to be had, or are others by their checksums.
ot::Target training_points(const Config& config);

/// The numbers of --weights of a run that learned so many points as its config says, empty without. Throws Error where
/// they can't be read, or are others by their checksum.
std::vector<double> weights_of_run(const Config& config);

/// Of a target that ranks share these are calls that all of them make.

/// For each row of x [n, d] the number of the training point that costs least to move it to. Leaves the target as it
/// is, so that a run may ask in between: it visits all points, where a search would learn from x.
std::vector<std::int64_t> nearest_points(const ot::Target& target, const engine::Tensor& x);

/// The points with these numbers, [n, d].
engine::Tensor points_at(const ot::Target& target, std::span<const std::int64_t> numbers);

}  // namespace apps
