#pragma once

#include <vector>

namespace data {

/// A point that the pen passes; x to the right and y downwards, a digit is about 100 high. At a corner the pen turns
/// sharply, elsewhere it moves smoothly.
struct Knot {
  double x = 0, y = 0;
  bool corner = false;
};

/// One way of writing a digit: its strokes, the pen being lifted in between.
struct DigitShape {
  double share = 0;  ///< how often this way is taken; a digit's shares sum to 1
  std::vector<std::vector<Knot>> strokes;
};

/// The ways of writing `digit` (0 to 9).
const std::vector<DigitShape>& digit_shapes(int digit);

}  // namespace data
