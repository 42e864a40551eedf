#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/framing.h"
#include "data/table.h"
#include "engine/real.h"
#include "engine/shared_span.h"

namespace data {

/// J points of dimension d, row-major: coordinate k of point j is element j * dimension + k. Exactly one of `bytes`,
/// `values` and `doubles` is filled. Images are points too: pixel (row, column), channel c is coordinate
/// (row * width + column) * channels + c; 4 channels are red, green and blue times alpha, and alpha (alpha.h).
struct Dataset {
  std::string name;                         ///< what was loaded, as it was asked for
  std::int64_t count = 0;                   ///< J, at least 1
  std::int64_t dimension = 0;               ///< d, at least 1
  int height = 0, width = 0, channels = 0;  ///< of an image; all 0 if the points are not images
  engine::SharedSpan<std::uint8_t> bytes;   ///< [J, d]: the coordinate is byte / 255
  engine::SharedSpan<engine::real> values;  ///< [J, d]: finite coordinates as they are
  std::vector<double> doubles;              ///< [J, d]: the same, where that was asked for
  std::vector<Column> columns;              ///< of a table, width_of() them being the dimension; otherwise none
  std::string remark;                       ///< what else to know of how they were read, in words
  std::string left_out;                     ///< what of a folder or table is not among the points, in words

  /// One of the bytes or values as a coordinate.
  engine::real coordinate(std::size_t i) const {
    return bytes.empty() ? values[i] : static_cast<engine::real>(bytes[i]) / 255;
  }
};

/// The least and the largest coordinate.
struct Range {
  double low, high;
};
Range range_of(const Dataset& set);

/// What numbers that are not bytes become.
enum class Numbers { real, in_double };

/// Loads the first `points` points (0: all) of `source`, which is
///   - `digits`: the built-in digits of `seed`, `points` of them (0: default_digits), 28x28;
///   - `mnist`, `mnist-test`: the training or test images in $SEMIDUAL_DATA/mnist, or else in data/mnist under the
///     current folder;
///   - an IDX or .npy file, gzipped or not, or an array of an .npz archive, as `archive.npz:name` where it holds
///   several, of shape [J, d], [J, h, w] or [J, h, w, c], c = 1, 3, or 4 with alpha: bytes stay bytes, other `numbers`
///   become what is asked for;
///   - a table in text, as read_table() reads it: a .csv or .tsv file, gzipped or not;
///   - a half of a ready-made set of images, by its files, as find_image_set() has it;
///   - a folder of images, or of subfolders of images, in the order of their names, brought to one size by the framing,
///     which other sources are left alone by.
/// Throws Error, one line with the remedy, when there is no such thing, when it can't be read, holds NaN or infinity,
/// holds nothing, or has fewer than `points` points.
Dataset load(const std::string& source, std::int64_t points, std::uint64_t seed, Numbers numbers = Numbers::real,
             const Framing& framing = {});

/// How many points load() would find, where load_part() can load some of them alone: in `digits`, and in a plain .npy
/// file in C order; none for other sources. Throws Error as load() does for what tells their number.
std::optional<std::int64_t> count_for_parts(const std::string& source, std::int64_t points);

/// The points begin..end-1 that load() would find, of a source that has a count_for_parts(), which takes the memory of
/// these alone. Throws Error as load() does.
Dataset load_part(const std::string& source, std::int64_t begin, std::int64_t end, std::uint64_t seed);

}  // namespace data
