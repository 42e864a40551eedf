#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>

#include "engine/tensor.h"
#include "ot/ground_cost.h"
#include "ot/target.h"

namespace apps::claims {

using engine::real;
using engine::Tensor;

/// The relative accuracy of the build: tolerances follow it.
inline constexpr double epsilon = std::numeric_limits<real>::epsilon();
inline constexpr bool in_double = sizeof(real) == sizeof(double);

enum class Weights { random, uniform };

/// nu on J random points of the cube [0, 1]^d, with the cost c(x, y) = k(x, y) / alpha, k being |x - y|^2 unless given.
ot::Target random_nu(std::uint64_t seed, std::int64_t J, std::int64_t d, Weights weights = Weights::random,
                     std::shared_ptr<const ot::GroundCost> k = nullptr);

/// B random points of the cube, [B, d]; another `stream` has others.
Tensor random_points(std::uint64_t seed, std::uint64_t stream, std::int64_t B, std::int64_t d);

/// A random potential of J values around 0, with that standard deviation.
Tensor random_potential(std::uint64_t seed, std::uint64_t stream, std::int64_t J, double deviation);

/// The values in the build's precision.
Tensor tensor_of(std::span<const double> psi);

/// c(x, y_j)
inline double c(const ot::Target& nu, const real* x, std::int64_t j) {
  return nu.cost(x, j);
}

/// The larger of two figures, NaN if one is.
inline double worse(double a, double b) {
  return std::isnan(b) || b > a ? b : a;
}

}  // namespace apps::claims
