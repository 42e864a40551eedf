#include "apps/report/curve.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "apps/report/axis.h"
#include "apps/report/page.h"
#include "engine/error.h"

namespace apps::report {

using engine::text;

namespace {

constexpr std::size_t most_points = 300;
constexpr int most_ticks = 6;
/// The drawing's units along each axis; whole ones are fine enough.
constexpr double units = 1000;

std::string exact(std::int64_t value) {
  return std::to_string(value);
}

/// Finer than it is drawn.
std::string exact(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

template <class Number>
std::string attribute(const char* name, const std::vector<Number>& numbers) {
  std::string list;
  for (const Number number : numbers) list += (list.empty() ? "" : " ") + exact(number);
  return text(" data-", name, "=\"", list, '"');
}

/// A curve and its axes.
class Drawing {
 public:
  explicit Drawing(const Thinned& points)
      : points_(points),
        x_(axis_of(static_cast<double>(points.first.front()), static_cast<double>(points.last.back()))),
        y_(rounded(axis_of(*std::ranges::min_element(points.low), *std::ranges::max_element(points.high)),
                   most_ticks)) {}

  std::string svg() const {
    std::string rules, line, top, bottom;
    for (const double tick : y_ticks()) rules += text('M', "0 ", up(tick), 'H', units);
    for (std::size_t i = 0; i < points_.mean.size(); ++i) {
      line += (i == 0 ? "M" : "L") + text(across(i), ' ', up(points_.mean[i]));
      top += (i == 0 ? "M" : "L") + text(across(i), ' ', up(points_.high[i]));
      bottom = text('L', across(i), ' ', up(points_.low[i])) + bottom;
    }
    const bool spread = points_.low != points_.high;
    return text("<svg viewBox=\"0 0 ", units, ' ', units, "\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\n",
                "<path class=\"rule\" d=\"", rules, "\"/>\n",
                spread ? text("<path class=\"band\" d=\"", top, bottom, "Z\"/>\n") : "", "<path class=\"curve\" d=\"",
                line, "\"/>\n</svg>\n");
  }

  std::string labels() const {
    std::string spans;
    const std::vector<double> x = ticks(x_, most_ticks), y = y_ticks();
    const std::vector<std::string> x_text = tick_labels(x), y_text = tick_labels(y);
    for (std::size_t i = 0; i < x.size(); ++i)
      spans += text("<span class=\"tick x\" style=\"left:", percent(x_.part(x[i])), "\">", x_text[i], "</span>\n");
    for (std::size_t i = 0; i < y.size(); ++i)
      spans += text("<span class=\"tick y\" style=\"top:", percent(1 - y_.part(y[i])), "\">", y_text[i], "</span>\n");
    return spans + "<span class=\"across\">iteration</span>\n";
  }

  /// The last point, where the pointer's dot waits.
  std::string dot() const {
    const std::size_t last = points_.mean.size() - 1;
    return text("<span class=\"cursor\" hidden></span><span class=\"dot\" style=\"left:", percent(across(last) / units),
                ";bottom:", percent(y_.part(points_.mean[last])), "\"></span>\n");
  }

  std::string attributes() const {
    return attribute("first", points_.first) + attribute("last", points_.last) + attribute("mean", points_.mean) +
           attribute("low", points_.low) + attribute("high", points_.high) +
           attribute("range", std::vector<double>{x_.low, x_.high, y_.low, y_.high});
  }

 private:
  std::vector<double> y_ticks() const { return ticks(y_, most_ticks); }
  double across(std::size_t i) const {
    return std::round(units * x_.part(0.5 * static_cast<double>(points_.first[i] + points_.last[i])));
  }
  double up(double value) const { return std::round(units * (1 - y_.part(value))); }
  static std::string percent(double part) { return exact(std::round(1e4 * part) / 100) + '%'; }

  const Thinned& points_;
  Axis x_, y_;
};

/// The same as the script says.
std::string value_at(const Thinned& points, std::size_t i) {
  if (points.first[i] == points.last[i]) return text("iteration ", points.first[i], ": ", number(points.mean[i]));
  return text("iterations ", points.first[i], " to ", points.last[i], ": mean ", number(points.mean[i]), ", ",
              number(points.low[i]), " to ", number(points.high[i]));
}

}  // namespace

Thinned thinned(const std::vector<std::int64_t>& iterations, const std::vector<double>& values, std::size_t most) {
  Thinned points;
  const std::size_t each = (values.size() + most - 1) / most;
  for (std::size_t begin = 0; begin < values.size(); begin += each) {
    const std::size_t end = std::min(values.size(), begin + each);
    const auto from = values.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto to = values.begin() + static_cast<std::ptrdiff_t>(end);
    points.first.push_back(iterations[begin]);
    points.last.push_back(iterations[end - 1]);
    points.mean.push_back(std::accumulate(from, to, 0.0) / static_cast<double>(end - begin));
    points.low.push_back(*std::min_element(from, to));
    points.high.push_back(*std::max_element(from, to));
  }
  return points;
}

std::string curve(const std::vector<std::int64_t>& iterations, const std::vector<double>& values,
                  const std::string& name, const std::string& unit) {
  const Thinned points = thinned(iterations, values, most_points);
  const Drawing drawing(points);
  const auto lowest = std::ranges::min_element(values) - values.begin();
  const std::string summary = text("The ", name, " over the iterations: ", number(values.front()), " at iteration ",
                                   iterations.front(), ", ", number(values.back()), " at iteration ", iterations.back(),
                                   ", lowest ", number(values[static_cast<std::size_t>(lowest)]), " at iteration ",
                                   iterations[static_cast<std::size_t>(lowest)], '.');
  return text("<figure class=\"plot\"", drawing.attributes(), ">\n<figcaption><span>", escaped(unit), "</span><output>",
              value_at(points, points.mean.size() - 1),
              "</output></figcaption>\n<div class=\"area\" role=\"img\" aria-label=\"", escaped(summary), "\">\n",
              drawing.svg(), drawing.labels(), drawing.dot(), "</div>\n</figure>\n");
}

}  // namespace apps::report
