#include "ot/ground_cost.h"

namespace ot {

void GroundCost::values(Rows x, Rows y, real* values) const {
  for (std::int64_t i = 0; i < x.count; ++i)
    for (std::int64_t j = 0; j < y.count; ++j) *values++ = static_cast<real>(value(x[i], y[j]));
}

void GroundCost::add_gradients(Rows x, Rows y, const real* weights, real* gradients) const {
  for (std::int64_t i = 0; i < x.count; ++i) {
    const std::span gradient(gradients + i * x.dimension, static_cast<std::size_t>(x.dimension));
    for (std::int64_t j = 0; j < y.count; ++j)
      if (const real weight = weights[i * y.count + j]; weight != 0) add_gradient(x[i], y[j], weight, gradient);
  }
}

}  // namespace ot
