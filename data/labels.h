#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace data {

/// Which class each of some points is of.
struct Labels {
  std::vector<std::uint8_t> of_points;  ///< the number of each point's class
  std::vector<std::string> classes;     ///< their names, by number; no point needs to be of each

  bool empty() const { return of_points.empty(); }
};

/// The labels of the first `points` points (0: all) of a source that has its own: label i is that of point i of
/// load(source, points, seed). `digits`, `mnist` and `mnist-test` have labels, 0 to 9, as ready-made sets may by their
/// files; of a folder of subfolders of images they are the subfolders. Empty for any other source. Throws Error where
/// files with labels are damaged, hold fewer than `points` labels, or are missing among MNIST's, and for a subfolder
/// whose name is no UTF-8.
Labels own_labels(const std::string& source, std::int64_t points, std::uint64_t seed);

/// The labels in a file, the first `points` of them (0: all): numbers of an IDX or .npy file, or texts of a .csv or
/// .tsv file's column, FILE.csv:COLUMN, which may be left out where it has one. Classes are what comes up among all of
/// the file's labels, in increasing order. Throws Error for a file that can't be read or holds anything else, NaN, and
/// more than 256 classes.
Labels read_labels(const std::string& file, std::int64_t points);

}  // namespace data
