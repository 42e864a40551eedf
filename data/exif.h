#pragma once

#include <string_view>

namespace data {

/// How a JPEG file's pixels are to be turned to stand upright: the orientation in its Exif data, 1 (as they are) to 8
/// (tag 274 of TIFF 6.0). 1 where the file has none, or none that can be read: viewers show it so.
int exif_orientation(std::string_view jpeg);

/// Where a pixel of the upright image lies among the stored pixels.
struct Upright {
  int orientation;    ///< 1 to 8, as exif_orientation() tells it
  int height, width;  ///< of the stored pixels

  bool turned() const { return orientation >= 5; }  ///< whether height and width change places
  int rows() const { return turned() ? width : height; }
  int columns() const { return turned() ? height : width; }
  /// The number in row-major order of the stored pixel that the upright one at (row, column) shows: linear in both.
  int stored(int row, int column) const;
};

}  // namespace data
