#include "data/pairs_plot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "engine/error.h"

namespace data {

using engine::real;
using engine::require;

namespace {

constexpr int gap = 8;                   // between panels and around them, in pixels
constexpr int bins = 41;                 // odd, so that a constant lies in the middle of one
constexpr int mark = 5;                  // the length of a tick's line
constexpr int line = 8 + letter_height;  // of labels, with what is between them and what is above
// In the palette of write_gif(), which so keeps them whole.
constexpr Colour frame{204, 212, 204}, ink{102, 127, 102};
// Of shades, lighter than the points over them.
constexpr Colour lowest{255, 255, 255}, highest{255, 212, 153}, cell_edge{204, 170, 102};

// What is written along an axis: where the ticks are, and labels by where they begin, all or, without room, two.
struct Writing {
  std::vector<int> ticks;
  std::vector<std::pair<int, std::string>> labels;
};

Writing writing_along(const Axis& axis, int side) {
  Writing writing;
  bool room = true;
  int end = -2 * gap;
  for (const Tick& tick : axis.ticks) {
    const double share = (tick.value - axis.low) / (axis.high - axis.low);
    if (!(share >= 0 && share <= 1)) continue;
    const int at = std::min(static_cast<int>(share * side), side - 1), length = length_of(tick.label);
    const int begin = std::min(std::max(at - length / 2, 0), side - length);
    room = room && begin >= end + gap;
    end = begin + length;
    writing.ticks.push_back(at);
    writing.labels.emplace_back(begin, tick.label);
  }
  if (!room) writing.labels = {writing.labels.front(), writing.labels.back()};
  return writing;
}

// As much of a name as there is room for.
std::string fitted(std::string name, int side) {
  while (length_of(name) > side) name.pop_back();
  return name;
}

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
  const bool ticks = std::ranges::any_of(axes_, [](const Axis& axis) { return !axis.ticks.empty(); });
  const bool names = std::ranges::any_of(axes_, [](const Axis& axis) { return !axis.name.empty(); });
  ticks_ = ticks ? mark + line : 0;
  margin_ = ticks_ + (names ? line : 0);
  const int size = static_cast<int>(panels) * (side_ + gap) + gap + margin_;
  image_ = {1, size, size, 3, std::vector<std::uint8_t>(std::size_t(size) * std::size_t(size) * 3, 255)};
  for (std::size_t row = 0; row < panels; ++row)
    for (std::size_t column = 0; column <= row; ++column)
      for (int k = -1; k <= side_; ++k)
        for (const auto& [right, up] : {std::pair{k, -1}, {k, side_}, {-1, k}, {side_, k}})
          set(panel(row, column), right, up, frame);
  for (std::size_t column = 0; column < panels; ++column) label_across(panel(panels - 1, column), axes_[column]);
  if (axes_.size() == 2) label_upwards(panel(0, 0), axes_[1]);
  for (std::size_t row = 1; row < panels; ++row) label_upwards(panel(row, 0), axes_[row]);
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
  return {margin_ + gap + static_cast<int>(column) * step, gap + static_cast<int>(row) * step};
}

void PairsPlot::label_across(const Panel& panel, const Axis& axis) {
  const Writing writing = writing_along(axis, side_);
  for (const int at : writing.ticks)
    for (int k = 1; k <= mark; ++k) set(panel, at, -1 - k, frame);
  const int below = panel.top + side_ + gap / 2;
  for (const auto& [begin, label] : writing.labels) write_text(image_, panel.left + begin, below + mark, label, ink);
  const std::string name = fitted(axis.name, side_);
  write_text(image_, panel.left + (side_ - length_of(name)) / 2, below + ticks_, name, ink);
}

void PairsPlot::label_upwards(const Panel& panel, const Axis& axis) {
  const Writing writing = writing_along(axis, side_);
  for (const int at : writing.ticks)
    for (int k = 1; k <= mark; ++k) set(panel, -1 - k, at, frame);
  const int left = panel.left - gap / 2 - letter_height, bottom = panel.top + side_;
  for (const auto& [begin, label] : writing.labels) write_text_upwards(image_, left - mark, bottom - begin, label, ink);
  const std::string name = fitted(axis.name, side_);
  write_text_upwards(image_, left - ticks_, bottom - (side_ - length_of(name)) / 2, name, ink);
}

void PairsPlot::shade(std::int64_t n, std::span<const real> values, std::span<const std::int64_t> cells) {
  require(axes_.size() == 2, "shades lie behind points of 2 coordinates, not ", axes_.size());
  const auto squares = static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
  require(n >= 1 && values.size() == squares && (cells.empty() || cells.size() == squares), "shades of ", n, "x", n,
          " squares are not ", values.size(), " values and ", cells.size(), " cells");
  constexpr int bands = 12;
  const auto [least, largest] = std::ranges::minmax(values);
  const double length = largest > least ? static_cast<double>(largest) - least : 1;
  const auto square = [&](int pixel) { return pixel * n / side_; };
  for (int up = 0; up < side_; ++up)
    for (int right = 0; right < side_; ++right) {
      const auto here = static_cast<std::size_t>(square(up) * n + square(right));
      const auto is_end = [&](int pixel) { return pixel + 1 < side_ && square(pixel + 1) != square(pixel); };
      const bool edge = !cells.empty() && ((is_end(right) && cells[here] != cells[here + 1]) ||
                                           (is_end(up) && cells[here] != cells[here + static_cast<std::size_t>(n)]));
      const double share = (values[here] - least) / length;
      const int band =
          share > 0 ? std::min(static_cast<int>(bands * std::min(share, 1.0)), bands - 1) : 0;  // nor is NaN
      Colour colour = cell_edge;
      if (!edge)
        for (std::size_t c = 0; c < 3; ++c)
          colour[c] = static_cast<std::uint8_t>(lowest[c] + (highest[c] - lowest[c]) * band / (bands - 1));
      set(panel(0, 0), right, up, colour);
    }
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
