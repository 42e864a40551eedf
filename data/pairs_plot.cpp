#include "data/pairs_plot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/error.h"

namespace data {

using engine::real;
using engine::require;

namespace {

constexpr int gap = 8;                  // between panels and around them, in pixels
constexpr int bins = 41;                // odd, so that a constant lies in the middle of one
constexpr Colour frame{204, 212, 204};  // in the palette of write_gif(), which so keeps it whole

}  // namespace

Axis axis_of(double least, double largest) {
  const double size = std::max(std::abs(least), std::abs(largest));
  const bool varies = largest - least > 4 * std::numeric_limits<real>::epsilon() * size;
  const double more = varies ? (largest - least) / 10 : std::max(0.5, size / 2);
  return {least - more, largest + more};
}

PairsPlot::PairsPlot(std::vector<Axis> axes) : axes_(std::move(axes)) {
  require(!axes_.empty(), "a picture of points needs an axis");
  for (const Axis& axis : axes_)
    require(std::isfinite(axis.high - axis.low) && axis.low < axis.high,
            "an axis must run from a number to a larger: ", axis.low, ", ", axis.high);
  const std::size_t panels = axes_.size() <= 2 ? 1 : axes_.size();
  side_ = panels == 1 ? 464 : std::max(600 / static_cast<int>(panels), 2);
  dot_ = panels == 1 ? 3 : 2;
  const int size = static_cast<int>(panels) * (side_ + gap) + gap;
  image_ = {1, size, size, 3, std::vector<std::uint8_t>(std::size_t(size) * std::size_t(size) * 3, 255)};
  for (std::size_t row = 0; row < panels; ++row)
    for (std::size_t column = 0; column <= row; ++column)
      for (int k = -1; k <= side_; ++k)
        for (const auto& [right, up] : {std::pair{k, -1}, {k, side_}, {-1, k}, {side_, k}})
          set(panel(row, column), right, up, frame);
}

void PairsPlot::add(std::span<const real> points, const Colour& colour) {
  const std::size_t d = axes_.size();
  require(points.size() % d == 0, points.size(), " numbers are no points of dimension ", d);
  if (d == 2) return scatter(points, 0, 1, colour);
  for (std::size_t row = 0; row < d; ++row) {
    histogram(points, row, colour);
    for (std::size_t column = 0; column < row; ++column) scatter(points, column, row, colour);
  }
}

PairsPlot::Panel PairsPlot::panel(std::size_t row, std::size_t column) const {
  const int step = side_ + gap;
  return {gap + static_cast<int>(column) * step, gap + static_cast<int>(row) * step};
}

/// The pixel so far to the right and upwards from the lower left one inside the panel's frame.
void PairsPlot::set(const Panel& panel, int right, int up, const Colour& colour) {
  const int row = panel.top + side_ - 1 - up, column = panel.left + right;
  std::ranges::copy(colour, image_.bytes.begin() + (std::ptrdiff_t{row} * image_.width + column) * 3);
}

/// In which of so many equal parts of an axis a value lies, 0 to parts - 1; -1 outside.
int PairsPlot::place(std::size_t axis, real value, int parts) const {
  const double share = (value - axes_[axis].low) / (axes_[axis].high - axes_[axis].low);
  if (!(share >= 0 && share <= 1)) return -1;  // nor is NaN
  return std::min(static_cast<int>(share * parts), parts - 1);
}

void PairsPlot::scatter(std::span<const real> points, std::size_t across, std::size_t up, const Colour& colour) {
  const Panel here = axes_.size() == 2 ? panel(0, 0) : panel(up, across);
  for (std::size_t i = 0; i < points.size(); i += axes_.size()) {
    const int x = place(across, points[i + across], side_), y = place(up, points[i + up], side_);
    if (x < 0 || y < 0) continue;
    const int before = (dot_ - 1) / 2, after = dot_ / 2;
    for (int a = std::max(x - before, 0); a <= std::min(x + after, side_ - 1); ++a)
      for (int b = std::max(y - before, 0); b <= std::min(y + after, side_ - 1); ++b) set(here, a, b, colour);
  }
}

void PairsPlot::histogram(std::span<const real> points, std::size_t axis, const Colour& colour) {
  const std::size_t d = axes_.size();
  std::array<double, bins> shares{};
  for (std::size_t i = axis; i < points.size(); i += d)
    if (const int bin = place(axis, points[i], bins); bin >= 0)
      shares[static_cast<std::size_t>(bin)] += static_cast<double>(d) / static_cast<double>(points.size());
  const bool filled = highest_.size() <= axis;
  if (filled) highest_.push_back(std::ranges::max(shares));
  const double top = highest_[axis] > 0 ? highest_[axis] / 0.8 : 1;
  int before = 0;
  for (int x = 0; x < side_; ++x) {
    const double share = shares[static_cast<std::size_t>(x * bins / side_)];
    const int height = static_cast<int>(std::min(share / top, 1.0) * side_);
    const int from = filled ? 0 : std::max(std::min(before, height) - 2, 0),
              to = filled ? height : std::max(before, height);
    for (int y = from; y < to; ++y) set(panel(axis, axis), x, y, colour);
    before = height;
  }
}

}  // namespace data
