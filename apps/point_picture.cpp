#include "apps/point_picture.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "apps/training_points.h"
#include "data/png.h"

namespace apps {

using engine::Tensor;

namespace {

constexpr std::int64_t most_shown = 4;
constexpr std::int64_t most_data = 4000;
// Both are in the palette of data::write_gif(), which so keeps them whole.
constexpr data::Colour of_data{153, 170, 204}, of_generated{204, 42, 0};

std::int64_t shown(const ot::Target& data) {
  return std::min(data.dimension(), most_shown);
}

/// The axes for the support.
std::vector<data::Axis> axes_of(const ot::Target& data, const Scaling& scaling) {
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
  for (std::size_t k = 0; k < least.size(); ++k) axes.push_back(data::axis_of(least[k], largest[k]));
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

}  // namespace

PointPicture::PointPicture(const ot::Target& data, const Scaling& scaling)
    : scaling_(scaling), data_(axes_of(data, scaling)) {
  data_.add(scaling.undo(points_at(data, points_to_draw(data)), shown(data)).values(), of_data);
}

void PointPicture::write(const std::string& path, const Tensor& made) const {
  data::PairsPlot plot = data_;
  plot.add(scaling_.undo(made, std::min(made.dim(1), most_shown)).values(), of_generated);
  data::write_png(path, plot.image());
}

}  // namespace apps
