#pragma once

#include <string>

#include "apps/scaling.h"
#include "data/pairs_plot.h"
#include "engine/tensor.h"
#include "ot/target.h"

namespace apps {

/// Pictures of generated points, in red, over the data, in grey, in the data's own units: a data::PairsPlot of the
/// first four coordinates, or of all where they are fewer, on axes that the data alone decide.
class PointPicture {
 public:
  /// How many points show the law that they are of.
  static constexpr std::int64_t draws = 2000;

  /// The data as they are learned, scaled, of which up to 4000 are drawn, as often as they weigh.
  PointPicture(const ot::Target& data, const Scaling& scaling);

  /// Writes the picture of points that a generator makes, [n, d], as a PNG, atomically. Throws Error if it can't.
  void write(const std::string& path, const engine::Tensor& made) const;

 private:
  Scaling scaling_;
  data::PairsPlot data_;
};

}  // namespace apps
