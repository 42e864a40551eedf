#include "apps/point_picture.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "apps/measure.h"
#include "apps/report/axis.h"
#include "apps/training_points.h"
#include "data/dataset.h"
#include "data/png.h"

namespace apps {

using engine::real;
using engine::Tensor;

namespace {

constexpr std::int64_t most_shown = 4;
constexpr std::int64_t most_data = 4000;
constexpr int most_ticks = 5;
// What psi is shown by, so that it takes some 50 ms: squares a side, and for how many points, and lines between them.
constexpr std::int64_t squares = 232, soft_squares = 116, most_shaded = 20000, most_outlined = 400;
// Both are in the palette of data::write_gif(), which so keeps them whole.
constexpr data::Colour of_data{153, 170, 204}, of_generated{204, 42, 0};

std::int64_t shown(const ot::Target& data) {
  return std::min(data.dimension(), most_shown);
}

/// What each coordinate of a table is called.
std::vector<std::string> names_of(std::span<const data::Column> columns) {
  std::vector<std::string> names;
  for (const data::Column& column : columns) {
    if (column.categories.empty()) names.push_back(column.name);
    for (const std::string& category : column.categories)
      names.push_back(column.name.empty() ? category : column.name + " = " + category);
  }
  return names;
}

/// The axes for the support.
std::vector<data::Axis> axes_of(const ot::Target& data, const Scaling& scaling, std::span<const data::Column> columns) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  constexpr std::int64_t together = 1024;
  std::vector<double> least(static_cast<std::size_t>(shown(data)), infinite), largest(least.size(), -infinite);
  for (std::int64_t begin = 0; begin < data.size(); begin += together) {
    Tensor rows({std::min(together, data.size() - begin), data.dimension()});
    data.rows(begin, begin + rows.dim(0), rows.data());
    const Tensor points = scaling.undo(rows, shown(data));
    for (std::size_t i = 0; i < points.values().size(); ++i) {
      const std::size_t j = static_cast<std::size_t>(begin) + i / least.size(), k = i % least.size();
      if (data.weights()[j] == 0) continue;
      least[k] = std::min<double>(least[k], points.values()[i]);
      largest[k] = std::max<double>(largest[k], points.values()[i]);
    }
  }
  std::vector<data::Axis> axes;
  const std::vector<std::string> names = names_of(columns);
  for (std::size_t k = 0; k < least.size(); ++k) {
    data::Axis& axis = axes.emplace_back(data::axis_of(least[k], largest[k]));
    if (k < names.size()) axis.name = names[k];
    const std::vector<double> ticks = report::ticks({axis.low, axis.high}, most_ticks);
    const std::vector<std::string> labels = report::tick_labels(ticks);
    for (std::size_t i = 0; i < ticks.size(); ++i) axis.ticks.push_back({ticks[i], labels[i]});
  }
  return axes;
}

/// Points whose law is about that of the data: all, where they are few and of one weight. The quantiles of multiples of
/// the golden ratio lie evenly and, unlike even steps, in step with no order that the points may have.
std::vector<std::int64_t> points_to_draw(const ot::Target& data) {
  std::vector<std::int64_t> points;
  if (data.uniform() && data.size() <= most_data) {
    points.resize(static_cast<std::size_t>(data.size()));
    std::iota(points.begin(), points.end(), 0);
    return points;
  }
  std::vector<double> cumulated(data.weights().size());
  std::partial_sum(data.weights().begin(), data.weights().end(), cumulated.begin());
  for (std::int64_t i = 1; i <= most_data; ++i) {
    const double turns = static_cast<double>(i) * 0.6180339887498949;
    const auto at = std::ranges::upper_bound(cumulated, (turns - std::floor(turns)) * cumulated.back());
    points.push_back(at - cumulated.begin());
  }
  return points;
}

/// The points in the middle of n x n squares of the picture, row by row from below, as they are learned.
Tensor centres_of_squares(std::span<const data::Axis> axes, std::int64_t n, const Scaling& scaling) {
  const auto at = [n](const data::Axis& axis, std::int64_t i) {
    return static_cast<real>(axis.low +
                             (axis.high - axis.low) * (static_cast<double>(i) + 0.5) / static_cast<double>(n));
  };
  std::vector<real> points;
  for (std::int64_t up = 0; up < n; ++up)
    for (std::int64_t right = 0; right < n; ++right) points.insert(points.end(), {at(axes[0], right), at(axes[1], up)});
  data::Dataset centres;
  centres.count = n * n, centres.dimension = 2, centres.values = std::move(points);
  return points_of(scaling.apply(std::move(centres)));
}

}  // namespace

PointPicture::PointPicture(const ot::Target& data, const Scaling& scaling, std::span<const data::Column> columns)
    : target_(data),
      scaling_(scaling),
      axes_(axes_of(data, scaling, columns)),
      shown_(scaling.undo(points_at(data, points_to_draw(data)), shown(data))) {}

void PointPicture::write(const std::string& path, const Tensor& made) const {
  write(path, axes_, made);
}

void PointPicture::write(const std::string& path, const Tensor& made, const Tensor& psi, double lambda) {
  data::PairsPlot plot = axes_;
  if (target_.dimension() == 2 && target_.size() <= most_shaded) shade(plot, psi, lambda);
  write(path, std::move(plot), made);
}

void PointPicture::write(const std::string& path, data::PairsPlot plot, const Tensor& made) const {
  plot.add(shown_.values(), of_data);
  plot.add(scaling_.undo(made, shown(target_)).values(), of_generated);
  data::write_png(path, plot.image());
}

void PointPicture::shade(data::PairsPlot& plot, const Tensor& psi, double lambda) {
  if (!transform_) transform_ = std::make_unique<ot::Transformer>(target_);
  transform_->restart();
  const std::int64_t side = lambda == 0 ? squares : soft_squares;
  const ot::CTransform found = (*transform_)(centres_of_squares(plot.axes(), side, scaling_), psi, lambda);
  if (lambda > 0) return plot.shade(side, found.value.values());
  std::vector<real> values;
  for (const std::int64_t winner : found.winners)
    values.push_back(winner < 0 ? 0 : psi.values()[static_cast<std::size_t>(winner)]);
  plot.shade(side, values, target_.size() <= most_outlined ? found.winners : std::vector<std::int64_t>());
}

}  // namespace apps
