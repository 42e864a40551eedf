#include "apps/latent_walk.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/error.h"

namespace apps {

using engine::real;
using engine::require;
using engine::Tensor;

namespace {

/// The angle between a and b [m], 0 where it is not told by them.
double angle(const real* a, const real* b, std::int64_t m) {
  const double lengths =
      std::sqrt(std::inner_product(a, a + m, a, 0.0)) * std::sqrt(std::inner_product(b, b + m, b, 0.0));
  if (lengths == 0) return 0;
  return std::acos(std::clamp(std::inner_product(a, a + m, b, 0.0) / lengths, -1.0, 1.0));
}

}  // namespace

Tensor latent_walks(const Tensor& ends, std::int64_t steps, const LatentLaw& law) {
  require(ends.defined() && ends.rank() == 2 && ends.dim(0) % 2 == 0,
          "[latent_walks] ends must be [2 n, m]: ", ends.shape());
  require(steps >= 2, "[latent_walks] a walk needs at least 2 steps: ", steps);
  const std::int64_t walks = ends.dim(0) / 2, m = ends.dim(1), coordinates = m - std::ssize(law.shares);
  Tensor z({walks * steps, m});
  for (std::int64_t walk = 0; walk < walks; ++walk) {
    const real* a = ends.data() + 2 * walk * m;
    const real* b = a + m;
    const double w = law.normal ? angle(a, b, coordinates) : 0;
    const bool round = std::sin(w) > 1e-6;
    for (std::int64_t step = 0; step < steps; ++step) {
      const double t = static_cast<double>(step) / static_cast<double>(steps - 1);
      const double of_a = round ? std::sin((1 - t) * w) / std::sin(w) : 1 - t;
      const double of_b = round ? std::sin(t * w) / std::sin(w) : t;
      real* row = z.data() + (walk * steps + step) * m;
      for (std::int64_t k = 0; k < coordinates; ++k) row[k] = static_cast<real>(of_a * a[k] + of_b * b[k]);
      for (std::int64_t k = coordinates; k < m; ++k) row[k] = static_cast<real>((1 - t) * a[k] + t * b[k]);
    }
  }
  return z;
}

}  // namespace apps
