#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/images.h"
#include "data/lettering.h"
#include "engine/real.h"

namespace data {

/// A value on an axis, and how it is written.
struct Tick {
  double value;
  std::string label;
};

/// What an axis shows, low < high, and what is written along it.
struct Axis {
  double low, high;
  std::string name{};
  std::vector<Tick> ticks{};  ///< in increasing order; what lies beyond the axis is left out
};

/// The axis for finite numbers from `least` to `largest`: a tenth of that more at either end; where they differ by
/// no more than rounding, half of their size, at least 1/2, at either end.
Axis axis_of(double least, double largest);

/// A picture of sets of points in d coordinates, white where there are none: for d = 2 a scatter plot, the first
/// coordinate to the right, the second upwards; for d = 1 a histogram; for more, of 600 pixels or a little more a side,
/// a scatter plot for each pair of coordinates, in row a and column b < a of panels, under a histogram of each on the
/// diagonal. A point does not appear in panels of a coordinate that lies outside its axis or is no finite number. Ticks
/// and names stand on the left and below; of labels that have no room the first and the last.
class PairsPlot {
 public:
  /// Throws Error for no axes, and for one whose ends are not finite or not low < high.
  explicit PairsPlot(std::vector<Axis> axes);

  /// Draws points [n, d] over what there is. Histograms show the share of them in each of 41 bins, those of the first
  /// set filled, of which the highest bin comes to four fifths of the height, those of later sets as outlines. Throws
  /// Error for a size that is no multiple of d.
  void add(std::span<const engine::real> points, const Colour& colour);

  /// Colours the panel of two coordinates, before points are drawn, in n x n equal squares, by a value for each, row by
  /// row from the bottom: the higher, the darker, in bands. Where a square is of another cell than that on its right or
  /// above, there is a line; no cells are no lines. Throws Error for another number of coordinates, and of values.
  void shade(std::int64_t n, std::span<const engine::real> values, std::span<const std::int64_t> cells = {});

  const std::vector<Axis>& axes() const { return axes_; }
  const Images& image() const { return image_; }  ///< count 1, square, 3 channels

 private:
  struct Panel {
    int left, top;
  };
  Panel panel(std::size_t row, std::size_t column) const;
  void label_across(const Panel& panel, const Axis& axis);
  void label_upwards(const Panel& panel, const Axis& axis);
  void set(const Panel& panel, int right, int up, const Colour& colour);
  int place(std::size_t axis, engine::real value, int parts) const;
  void scatter(std::span<const engine::real> points, std::size_t across, std::size_t up, const Colour& colour);
  void histogram(std::span<const engine::real> points, std::size_t axis, const Colour& colour);

  std::vector<Axis> axes_;
  int side_, dot_;               // of a panel without its frame, of a dot, in pixels
  int ticks_ = 0, margin_ = 0;   // on the left and below, beside the gap: for ticks, for them and names
  std::vector<double> highest_;  // share in a bin, per axis, of the first set; empty before
  Images image_;
};

}  // namespace data
