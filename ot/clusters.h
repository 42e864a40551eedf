#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensor.h"
#include "ot/search/point_index.h"

namespace ot {

/// The cluster, 0 to `count` - 1, of each row of x [n, k]: k-means, by Lloyd's steps, on a sample of many rows, from
/// seeds drawn far apart from each other (Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding",
/// SODA 2007). Each cluster has at least 2 rows; there are fewer of them where rows do not allow so many. Throws Error
/// for a count below 1.
std::vector<std::int64_t> k_means(const engine::Tensor& x, std::int64_t count);

/// The same of each point of the index's target, [J], in the coordinates along its directions. Throws Error unless
/// 1 <= count <= 256.
std::vector<std::uint8_t> clusters(const PointIndex& index, std::int64_t count);

}  // namespace ot
