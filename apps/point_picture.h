#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "apps/scaling.h"
#include "data/pairs_plot.h"
#include "data/table.h"
#include "engine/tensor.h"
#include "ot/target.h"
#include "ot/transformer.h"

namespace apps {

/// Pictures of generated points, in red, over the data, in grey, in the data's own units: a data::PairsPlot of the
/// first four coordinates, or of all where they are fewer, on axes that the data alone decide, with the names of a
/// table's columns.
class PointPicture {
 public:
  /// How many points show the law that they are of.
  static constexpr std::int64_t draws = 2000;

  /// The data as they are learned, scaled, of which up to 4000 are drawn, as often as they weigh. The target must
  /// outlive it.
  PointPicture(const ot::Target& data, const Scaling& scaling, std::span<const data::Column> columns = {});

  /// Writes the picture of points that a generator makes, [n, d], as a PNG, atomically. Throws Error if it can't.
  void write(const std::string& path, const engine::Tensor& made) const;
  /// The same, with a dual potential psi [J] on the data behind the points where they are of two coordinates and no
  /// more than a c-transform of a picture is quick for: at lambda = 0 the Laguerre cells, each in the shade of its
  /// point's psi, otherwise the c-transform.
  void write(const std::string& path, const engine::Tensor& made, const engine::Tensor& psi, double lambda);

 private:
  void shade(data::PairsPlot& plot, const engine::Tensor& psi, double lambda);
  void write(const std::string& path, data::PairsPlot plot, const engine::Tensor& made) const;

  const ot::Target& target_;
  Scaling scaling_;
  data::PairsPlot axes_;
  engine::Tensor shown_;  // of the data
  std::unique_ptr<ot::Transformer> transform_;
};

}  // namespace apps
