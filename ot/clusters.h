#pragma once

#include <cstdint>
#include <vector>

#include "ot/search/point_index.h"

namespace ot {

/// The cluster, 0 to `count` - 1, of each point of the index's target, [J]: k-means in the coordinates along its
/// directions, by Lloyd's steps from seeds drawn far apart from each other (Arthur and Vassilvitskii, "k-means++: the
/// advantages of careful seeding", SODA 2007). Each cluster has at least 2 points; there are fewer of them where points
/// do not allow so many. Throws Error unless 1 <= count <= 256.
std::vector<std::uint8_t> clusters(const PointIndex& index, std::int64_t count);

}  // namespace ot
