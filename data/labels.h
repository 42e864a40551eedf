#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace data {

/// The labels of the first `points` points (0: all) of a source that has its own: label i is that of point i of
/// load(source, points, seed). `digits`, `mnist` and `mnist-test` have labels, 0 to 9, as ready-made sets may by their
/// files; of a folder of subfolders of images they are the subfolders' numbers. Empty for any other source. Throws
/// Error where files with labels are damaged, hold fewer than `points` labels, or are missing among MNIST's.
std::vector<std::uint8_t> load_labels(const std::string& source, std::int64_t points, std::uint64_t seed);

}  // namespace data
