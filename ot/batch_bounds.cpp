#include "ot/batch_bounds.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/parallel.h"

namespace ot {

using engine::Tensor;
using engine::simd::block_size;
using engine::simd::group_size;
using engine::simd::groups_in_block;

namespace {
constexpr real infinity = std::numeric_limits<real>::infinity();
constexpr double unit_roundoff = std::numeric_limits<real>::epsilon() / 2;
}  // namespace

BatchBounds::BatchBounds(const Target& target, const Sketch& sketch, const Tensor& x, const Tensor& psi, double lambda)
    : target_(target),
      sketch_(sketch),
      x_(x),
      psi_(psi),
      lambda_(lambda),
      queries_(sketch.queries(x)),
      h_(engine::Shape{sketch.blocks() * block_size}),
      minima_(engine::Shape{sketch.blocks(), x.dim(0), groups_in_block}) {
  prepare_offsets();
  constexpr std::int64_t grain = 16;  // blocks whose coordinates stay in the cache while all queries pass
  engine::parallel_for(sketch.blocks(), grain, [&](std::int64_t begin, std::int64_t end) {
    engine::simd::kernels().group_minima(end - begin, sketch.dimension(), sketch.block(begin),
                                         h_.data() + begin * block_size, size(), queries_.coarse.data(),
                                         minima_.data() + begin * size() * groups_in_block);
  });
}

void BatchBounds::prepare_offsets() {
  std::fill_n(h_.data() + target_.size(), h_.size() - target_.size(), infinity);
  const auto weights = target_.weights(), log_weights = target_.log_weights();
  const bool uniform = target_.uniform();
  constexpr std::int64_t piece = 8192;
  std::vector<double> largest(static_cast<std::size_t>((target_.size() + piece - 1) / piece));
  const real *psi = psi_.data(), *norms = sketch_.squared_norms().data();
  const std::int64_t* order = sketch_.order().data();
  real* const h = h_.data();
  const double per_scale = 1 / target_.scale();
  engine::parallel_for(target_.size(), piece, [&](std::int64_t begin, std::int64_t end) {
    double most = 0;
    for (std::int64_t place = begin; place < end; ++place) {
      const std::int64_t j = order[place];
      if (!uniform && weights[static_cast<std::size_t>(j)] == 0) {
        h[place] = infinity;
        continue;
      }
      const double log_weight = uniform ? 0 : log_weights[static_cast<std::size_t>(j)];
      const double norm = norms[place], dual = (psi[j] + lambda_ * log_weight) * per_scale;
      h[place] = static_cast<real>((norm - dual) / 2);
      most = std::max(most, norm + std::abs(dual));
    }
    largest[static_cast<std::size_t>(begin / piece)] = most;
  });
  const double most = *std::max_element(largest.begin(), largest.end());
  rounding_of_h_ = 4 * static_cast<double>(sketch_.dimension()) * unit_roundoff * most;
}

void BatchBounds::evaluate(std::int64_t i, std::int64_t group, std::int64_t rows, real* bounds) const {
  const std::int64_t b = group / groups_in_block, first = group % groups_in_block * group_size;
  engine::simd::kernels().group_values(sketch_.dimension(), sketch_.block(b) + first,
                                       h_.data() + b * block_size + first, rows,
                                       queries_.both.data() + i * 2 * sketch_.dimension(), bounds);
}

real BatchBounds::cut(std::int64_t i, double highest) const {
  return static_cast<real>((highest / target_.scale() - squared_norm(i)) / 2 + margin(i));
}

double BatchBounds::above(std::int64_t i, real bound, double u) const {
  return 2 * (bound - margin(i)) - (u / target_.scale() - squared_norm(i));
}

std::vector<Neighbour> BatchBounds::least(const std::vector<std::int64_t>& queries) const {
  struct Least {
    real bound = infinity;
    std::int64_t group = 0;
  };
  std::vector<Least> least(queries.size());
  for (std::int64_t b = 0; b < sketch_.blocks(); ++b)
    for (std::size_t q = 0; q < queries.size(); ++q) {
      const real* bounds = minima(queries[q], b);
      for (std::int64_t g = 0; g < groups_in_block; ++g)
        if (bounds[g] < least[q].bound) least[q] = {bounds[g], b * groups_in_block + g};
    }
  std::vector<Neighbour> found;
  for (std::size_t q = 0; q < queries.size(); ++q) {
    real bounds[group_size];
    coarse(queries[q], least[q].group, bounds);
    const std::int64_t place = least[q].group * group_size + (std::min_element(bounds, bounds + group_size) - bounds);
    found.push_back({place, value(queries[q], point(place))});
  }
  return found;
}

}  // namespace ot
