#include "ot/ascent/source.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "ot/plan/cost_matrix.h"

namespace ot {

using engine::real;
using engine::Tensor;

void require_steps(std::int64_t steps, std::int64_t batch) {
  engine::require(steps >= 1 && batch >= 1, "[ascent] there must be at least one step and one point in it: ", steps,
                  " and ", batch);
  engine::require(batch <= INT32_MAX, "[ascent] there must be at most ", INT32_MAX, " points in a step: ", batch);
}

PointSource::PointSource(Tensor x, std::span<const double> mu, std::uint64_t seed) : x_(std::move(x)), seed_(seed) {
  require_weights("source", mu, x_.dim(0));
  double sum = 0;
  for (const double weight : mu) cumulative_.push_back(sum += weight);
  for (double& value : cumulative_) value /= sum;
}

Tensor PointSource::batch(std::uint64_t number, std::int64_t size) const {
  const std::int64_t d = x_.dim(1);
  const engine::Random random(seed_, number);
  Tensor batch({size, d});
  for (std::int64_t k = 0; k < size; ++k) {
    const double place =
        (static_cast<double>(k) + random.uniform(static_cast<std::uint64_t>(k))) / static_cast<double>(size);
    const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, place) - cumulative_.begin();
    std::copy_n(x_.data() + found * d, d, batch.data() + k * d);
  }
  return batch;
}

LawSource::LawSource(Law law, std::int64_t dimension, double mean, double scale, std::uint64_t seed)
    : law_(law), dimension_(dimension), mean_(mean), scale_(scale), seed_(seed) {
  engine::require(dimension >= 1, "[source] the dimension must be at least 1: ", dimension);
  engine::require(std::isfinite(mean), "[source] the mean must be finite: ", mean);
  engine::require(scale > 0 && std::isfinite(scale), "[source] the scale must be positive and finite: ", scale);
}

Tensor LawSource::batch(std::uint64_t number, std::int64_t size) const {
  const engine::Random random(seed_, number);
  const auto mean = static_cast<real>(mean_), scale = static_cast<real>(scale_);
  if (law_ == Law::normal) return random.normal({size, dimension_}, mean, scale);
  if (law_ == Law::uniform) return random.uniform({size, dimension_}, mean, mean + scale);
  // A normal vector's direction is uniform; the volume within radius r of the ball goes as r^d.
  const engine::Random radii(~seed_, number);
  Tensor points = random.normal({size, dimension_}, 0, 1);
  engine::parallel_for(size, 256, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      const std::span point(points.data() + k * dimension_, static_cast<std::size_t>(dimension_));
      double squares = 0;
      for (const real z : point) squares += static_cast<double>(z) * z;
      double length = scale_ / std::sqrt(squares);
      if (law_ == Law::ball)
        length *= std::pow(radii.uniform(static_cast<std::uint64_t>(k)), 1 / static_cast<double>(dimension_));
      for (real& z : point) z = static_cast<real>(mean_ + length * z);
    }
  });
  return points;
}

}  // namespace ot
