#include "ot/search/batch_bounds.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

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

BatchBounds::BatchBounds(const Sketch& sketch, const Tensor& x, const Tensor& psi, double lambda, double reach)
    : target_(sketch.index().target()),
      sketch_(sketch),
      x_(x),
      psi_(psi),
      lambda_(lambda),
      queries_(sketch.queries(x)),
      h_(engine::Shape{sketch.blocks() * block_size}),
      box_offsets_(engine::Shape{sketch.blocks()}),
      minima_(engine::Shape{sketch.blocks(), groups_in_block, x.dim(0)}) {
  prepare_offsets();
  find_near(reach);
  bound_groups();
}

void BatchBounds::prepare_offsets() {
  std::fill_n(h_.data() + target_.size(), h_.size() - target_.size(), infinity);
  const auto weights = target_.weights(), log_weights = target_.log_weights();
  const bool uniform = target_.uniform();
  constexpr std::int64_t piece = 128 * block_size;
  std::vector<double> largest(static_cast<std::size_t>((target_.size() + piece - 1) / piece));
  const real *psi = psi_.data(), *norms = sketch_.squared_norms().data(), *lengths = sketch_.squared_lengths().data();
  const std::int64_t* order = sketch_.index().order().data();
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
    for (std::int64_t first = begin; first < end; first += block_size) {
      real least = infinity;
      for (std::int64_t place = first; place < std::min(end, first + block_size); ++place)
        least = std::min(least, h[place] - lengths[place] / 2);
      box_offsets_.data()[first / block_size] = least;
    }
    largest[static_cast<std::size_t>(begin / piece)] = most;
  });
  const double most = *std::max_element(largest.begin(), largest.end());
  rounding_of_h_ = 4 * static_cast<double>(sketch_.dimension()) * unit_roundoff * most;
}

// [blocks, lanes] for at least as many lanes as queries.
Tensor BatchBounds::box_bounds() const {
  const std::int64_t dimension = sketch_.dimension(), lanes = (size() + group_size - 1) / group_size * group_size;
  Tensor columns = Tensor::zeros({dimension, lanes});
  for (std::int64_t i = 0; i < size(); ++i)
    for (std::int64_t k = 0; k < dimension; ++k)
      columns.data()[k * lanes + i] = queries_.coordinates.data()[i * dimension + k];
  Tensor bounds({sketch_.blocks(), lanes});
  constexpr std::int64_t grain = 64;
  engine::parallel_for(sketch_.blocks(), grain, [&](std::int64_t begin, std::int64_t end) {
    engine::simd::kernels().box_bounds(end - begin, dimension, sketch_.boxes().data() + begin * 2 * dimension,
                                       box_offsets_.data() + begin, lanes, columns.data(),
                                       bounds.data() + begin * lanes);
  });
  return bounds;
}

// No block with a point within the reach has a bound above that of its query. The nearest block tells a value that the
// least u is not above. A computed bound errs by a few u for each coordinate, of the distance and of what the offset is
// made of, which is less than cut() allows for in h.
std::vector<real> BatchBounds::box_cuts(const Tensor& boxes, double reach) {
  const std::int64_t lanes = boxes.dim(1), dimension = sketch_.dimension();
  std::vector<real> cuts(static_cast<std::size_t>(size()));
  engine::parallel_for(size(), group_size, [&](std::int64_t begin, std::int64_t end) {
    std::array<std::int64_t, group_size> nearest = {};
    std::array<real, group_size> least;
    least.fill(infinity);
    for (std::int64_t b = 0; b < sketch_.blocks(); ++b)
      for (std::size_t q = 0; q < nearest.size(); ++q) {
        const real bound = boxes.data()[b * lanes + begin + static_cast<std::int64_t>(q)];
        if (bound < least[q]) least[q] = bound, nearest[q] = b;
      }
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t b = nearest[static_cast<std::size_t>(i - begin)];
      const auto query = static_cast<std::int32_t>(i);
      bound_group_minima(b, {&query, 1});
      const double value = least_of(i, b).value;
      const real* coordinates = queries_.coordinates.data() + i * dimension;
      double squared_length = 0;
      for (std::int64_t k = 0; k < dimension; ++k)
        squared_length += static_cast<double>(coordinates[k]) * coordinates[k];
      const double distance = static_cast<double>(cut(i, value + reach)) + squared_length / 2;
      const double rounding = 4 * static_cast<double>(dimension) * unit_roundoff * std::abs(distance);
      cuts[static_cast<std::size_t>(i)] = static_cast<real>(distance + rounding);
    }
  });
  return cuts;
}

void BatchBounds::find_near(double reach) {
  if (!std::isfinite(reach)) {
    near_ = engine::Buffer(static_cast<std::size_t>(size()) * sizeof(std::int32_t));
    auto* const queries = static_cast<std::int32_t*>(near_.data());
    std::iota(queries, queries + size(), 0);
    return;
  }
  const Tensor boxes = box_bounds();
  const std::vector<real> cuts = box_cuts(boxes, reach);
  near_ = engine::Buffer(static_cast<std::size_t>(sketch_.blocks() * size()) * sizeof(std::int32_t));
  near_counts_.resize(static_cast<std::size_t>(sketch_.blocks()));
  engine::parallel_for(sketch_.blocks(), 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      std::int32_t* const queries = static_cast<std::int32_t*>(near_.data()) + b * size();
      std::int64_t count = 0;
      for (std::size_t i = 0; i < cuts.size(); ++i) {
        queries[count] = static_cast<std::int32_t>(i);
        count += !(boxes.data()[b * boxes.dim(1) + static_cast<std::int64_t>(i)] > cuts[i]);
      }
      near_counts_[static_cast<std::size_t>(b)] = count;
    }
  });
}

void BatchBounds::bound_groups() {
  constexpr std::int64_t grain = 16;  // blocks whose coordinates stay in the cache while all queries pass
  const auto batch = static_cast<std::size_t>(size()),
             stretches = static_cast<std::size_t>((sketch_.blocks() + grain - 1) / grain);
  // Of each stretch of blocks the least bound of every query, and the first block that has it.
  std::vector<real> least(stretches * batch, infinity);
  std::vector<std::int32_t> nearest(stretches * batch);
  engine::parallel_for(sketch_.blocks(), grain, [&](std::int64_t begin, std::int64_t end) {
    real* const bounds = least.data() + begin / grain * size();
    std::int32_t* const blocks = nearest.data() + begin / grain * size();
    for (std::int64_t b = begin; b < end; ++b) {
      const std::span<const std::int32_t> queries = near(b);
      const bool all = queries.size() == batch;
      if (!all) std::fill_n(minima_.data() + b * groups_in_block * size(), groups_in_block * size(), infinity);
      bound_group_minima(b, queries);
      static_assert(groups_in_block == 4);
      const real *first = minima(b, 0), *second = minima(b, 1), *third = minima(b, 2), *fourth = minima(b, 3);
      const auto meet = [&](std::size_t i) {
        const real bound = std::min(std::min(first[i], second[i]), std::min(third[i], fourth[i]));
        const bool less = bound < bounds[i];
        blocks[i] = less ? static_cast<std::int32_t>(b) : blocks[i];
        bounds[i] = less ? bound : bounds[i];
      };
      if (all)
        for (std::size_t i = 0; i < batch; ++i) meet(i);
      else
        for (const std::int32_t i : queries) meet(static_cast<std::size_t>(i));
    }
  });
  nearest_blocks_.resize(batch);
  for (std::size_t i = 0; i < batch; ++i) {
    std::size_t first = i;
    for (std::size_t l = i; l < least.size(); l += batch)
      if (least[l] < least[first]) first = l;
    nearest_blocks_[i] = nearest[first];
  }
}

double BatchBounds::near_share() const {
  if (near_counts_.empty()) return 1;
  const auto near = std::accumulate(near_counts_.begin(), near_counts_.end(), std::int64_t{0});
  return static_cast<double>(near) / static_cast<double>(sketch_.blocks() * size());
}

void BatchBounds::bound_group_minima(std::int64_t b, std::span<const std::int32_t> queries) {
  engine::simd::kernels().group_minima(sketch_.dimension(), sketch_.block(b), offsets(b), std::ssize(queries),
                                       queries.data(), queries_.coordinates.data(),
                                       minima_.data() + b * groups_in_block * size(), size());
}

void BatchBounds::bounds(std::int64_t i, std::int64_t group, real* bounds) const {
  const std::int64_t b = group / groups_in_block, first = group % groups_in_block * group_size;
  engine::simd::kernels().group_values(sketch_.dimension(), sketch_.block(b) + first,
                                       h_.data() + b * block_size + first,
                                       queries_.coordinates.data() + i * sketch_.dimension(), bounds);
}

real BatchBounds::cut(std::int64_t i, double highest) const {
  return static_cast<real>((highest / target_.scale() - squared_norm(i)) / 2 + margin(i));
}

double BatchBounds::above(std::int64_t i, real bound, double u) const {
  return 2 * (bound - margin(i)) - (u / target_.scale() - squared_norm(i));
}

// The point of a block with the least bound.
Neighbour BatchBounds::least_of(std::int64_t i, std::int64_t b) const {
  std::int64_t nearest = 0;
  for (std::int64_t g = 1; g < groups_in_block; ++g)
    if (minima(b, g)[i] < minima(b, nearest)[i]) nearest = g;
  const std::int64_t group = b * groups_in_block + nearest;
  real of_group[group_size];
  bounds(i, group, of_group);
  const std::int64_t place = group * group_size + (std::min_element(of_group, of_group + group_size) - of_group);
  return {place, value(i, point(place))};
}

}  // namespace ot
