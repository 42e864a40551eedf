#include "engine/ops/linear.h"

#include <algorithm>
#include <optional>

#include "engine/compact_matrix.h"
#include "engine/ops/matmul.h"
#include "engine/ops/reduce.h"
#include "engine/product.h"

namespace engine {

Var linear(const Var& x, const Var& weight, const Var& bias, const Activation& activation) {
  require(x.rank() == 2 && weight.rank() == 2 && x.dim(1) == weight.dim(1),
          "[linear] x [B, in] and weight [out, in] must agree in `in`: ", x.shape(), " x ", weight.shape());
  require(bias.rank() == 1 && bias.dim(0) == weight.dim(0),
          "[linear] bias [out] must match weight [out, in]: ", bias.shape(), " against ", weight.shape());
  activation.require_slope("linear");
  const std::int64_t inputs = x.dim(1), outputs = weight.dim(0);
  Tensor value(Shape{x.dim(0), outputs});
  const auto finish = [&](const ProductTile& tile, const auto& add_product) {
    const auto row = [&](std::int64_t r) { return value.data() + (tile.i + r) * outputs + tile.j; };
    for (std::int64_t r = 0; r < tile.rows; ++r) std::copy_n(bias.value().data() + tile.j, tile.columns, row(r));
    add_product();
    for (std::int64_t r = 0; r < tile.rows; ++r) activation.apply(tile.columns, row(r));
  };
  // On a tape or not, so that y is the same either way.
  const auto compact = bf16_products_on() ? std::nullopt : CompactMatrix::of(x.value());
  if (compact) {
    compact->for_each_tile(outputs, [&](const ProductTile& tile) {
      finish(tile, [&] { compact->add_product(tile, weight.value(), value.data()); });
    });
  } else {
    const Product product(Transpose::no, Transpose::yes, x.dim(0), outputs, inputs, x.value().data(), inputs,
                          weight.value().data(), inputs);
    product.for_each_tile(
        [&](const ProductTile& tile) { finish(tile, [&] { product.compute(tile, true, value.data()); }); });
  }

  // The sums stand on the tape with their shape alone: what their memory holds is already y.
  Var sums = recorded(std::move(value), x, weight, bias);
  sums.pull_back(x, [weight](const Var& g) { return matmul(g, weight); });
  if (compact)
    sums.pull_back(weight, [compact = *compact, x = x.on_tape() ? x : Var()](const Var& g) -> Var {
      if (!recording()) return compact.product_from_left(g.value());
      return matmul(g, x.on_tape() ? x : Var(compact.dense()), Transpose::yes);
    });
  else
    sums.pull_back(weight, [x](const Var& g) { return matmul(g, x, Transpose::yes); });
  sums.pull_back(bias, [](const Var& g) { return sum(g, {0}); });
  return activation.of(sums);
}

}  // namespace engine
