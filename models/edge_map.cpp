#include "models/edge_map.h"

#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/ops/shape.h"

namespace models {

using engine::Var;

namespace {

std::int64_t cells_along(std::int64_t pixels) {
  return (pixels + EdgeMap::cell - 1) / EdgeMap::cell;
}

/// x at the next and at the previous place along an axis, 0 beyond the border.
Var next(const Var& x, int axis) {
  return pad(slice(x, axis, 1, x.dim(axis)), axis, 0, 1);
}
Var previous(const Var& x, int axis) {
  return pad(slice(x, axis, 0, x.dim(axis) - 1), axis, 1, 0);
}

/// The derivative along an axis, and the mean of neighbours with weights 1/4, 1/2, 1/4.
Var derivative(const Var& x, int axis) {
  return (next(x, axis) - previous(x, axis)) * 0.5;
}
Var smooth(const Var& x, int axis) {
  return (next(x, axis) + previous(x, axis)) * 0.25 + x * 0.5;
}

}  // namespace

std::int64_t EdgeMap::cells() const {
  return cells_along(height) * cells_along(width) * channels;
}

std::int64_t EdgeMap::output_size() const {
  return height * width * channels + cells();
}

Var EdgeMap::operator()(const Var& x) const {
  engine::require(x.rank() == 2 && x.dim(1) == height * width * channels, "[edge_map] x must be [B, ",
                  height * width * channels, "], images of ", height, "x", width, "x", channels, ": ", x.shape());
  const std::int64_t batch = x.dim(0), rows = cells_along(height), columns = cells_along(width);
  const Var images = reshape(x, {batch, height, width, channels});
  const Var across = derivative(smooth(images, 1), 2), down = derivative(smooth(images, 2), 1);
  const Var edges = mul(across, across) + mul(down, down);
  const Var whole = pad(pad(edges, 1, 0, rows * cell - height), 2, 0, columns * cell - width);
  const Var in_cells = sum(reshape(whole, {batch, rows, cell, columns, cell, channels}), {2, 4});
  return engine::concat({x, reshape(sqrt(in_cells + delta * delta), {batch, cells()}) * weight}, 1);
}

}  // namespace models
