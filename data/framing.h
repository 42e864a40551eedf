#pragma once

namespace data {

/// How images of several sizes are brought to one.
struct Framing {
  int height = 0, width = 0;  ///< the size; 0: theirs, which must then be one
  bool crop = false;          ///< the middle of an image, of the shape asked for, rather than all of it, distorted
  bool grey = false;          ///< how light colours are, in place of colours
  bool alpha = false;         ///< how opaque a pixel is as a fourth channel, rather than black behind it
};

}  // namespace data
