#include "ot/cityblock_cost.h"

#include <cmath>

#include "engine/simd/kernels.h"

namespace ot {

double CityblockCost::value(Point x, Point y) const {
  return engine::simd::kernels().sum_abs_difference(static_cast<std::int64_t>(x.size()), x.data(), y.data());
}

void CityblockCost::add_gradient(Point x, Point y, real weight, std::span<real> gradient) const {
  for (std::size_t c = 0; c < x.size(); ++c) gradient[c] += weight * static_cast<real>((x[c] > y[c]) - (x[c] < y[c]));
}

double CityblockCost::precise_value(PrecisePoint x, PrecisePoint y) const {
  return sum_of_terms(x.size(), [&](std::size_t c) { return std::abs(x[c] - y[c]); });
}

void CityblockCost::precise_values(PreciseRows x, PreciseGroups y, double scale, double* values) const {
  engine::simd::kernels().cityblock_distances(x.count, y.count, x.dimension, x.data, y.data, scale, values);
}

}  // namespace ot
