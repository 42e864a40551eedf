#include "ot/pruned_c_transform.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::Tensor;
using engine::simd::block_size;

namespace {

constexpr real infinity = std::numeric_limits<real>::infinity();
constexpr double unit_roundoff = std::numeric_limits<real>::epsilon() / 2;
constexpr std::int64_t abandoned = -1;

// A query gives up when it has computed more than this share of all products.
constexpr double most_products = 1.0 / 16;

}  // namespace

// One batch against one psi. All values are v_ij = (||x_i - y_j||^2 - psi_j / scale - ||x_i'||^2) / 2
// = h_j - x_i'.y_j', which have the order of c(x_i, y_j) - psi_j.
struct PrunedCTransform::Search {
  Search(const Target& target_in, const Sketch& sketch_in, const Tensor& x_in, const Tensor& psi_in)
      : target(target_in),
        sketch(sketch_in),
        x(x_in),
        psi(psi_in),
        queries(sketch.queries(x)),
        h(engine::Shape{sketch.blocks() * block_size}),
        minima(engine::Shape{x.dim(0), sketch.blocks()}) {
    std::fill_n(h.data() + target.size(), h.size() - target.size(), infinity);
    const auto norms = target.centred_squared_norms();
    const auto weights = target.weights();
    for (std::int64_t j = 0; j < target.size(); ++j) {
      const auto index = static_cast<std::size_t>(j);
      if (weights[index] == 0) {
        h.data()[j] = infinity;
        continue;
      }
      h.data()[j] = static_cast<real>((norms[index] - psi.data()[j] / target.scale()) / 2);
      largest_h = std::max(largest_h, static_cast<double>(std::abs(h.data()[j])));
    }
    constexpr std::int64_t grain = 16;  // blocks whose coordinates stay in the cache while all queries pass
    engine::parallel_for(sketch.blocks(), grain, [&](std::int64_t begin, std::int64_t end) {
      engine::simd::kernels().block_minima(end - begin, sketch.dimension(), sketch.block(begin),
                                           h.data() + begin * block_size, x.dim(0), queries.coordinates.data(),
                                           minima.data() + begin, sketch.blocks());
    });
  }

  // The winner of query i, or `abandoned`; adds the number of products it took.
  std::int64_t winner(std::int64_t i, std::int64_t& products) const;

  // A point with its bound or its value.
  struct Candidate {
    real value;
    std::int64_t index;
  };
  std::int64_t settle(std::int64_t i, const std::vector<Candidate>& candidates, real highest) const;

  const Target& target;
  const Sketch& sketch;
  const Tensor &x, &psi;
  Sketch::Queries queries;
  Tensor h, minima;
  double largest_h = 0;
};

std::int64_t PrunedCTransform::Search::winner(std::int64_t i, std::int64_t& products) const {
  const real* query = queries.centred.data() + i * target.dimension();
  const real* coordinates = queries.coordinates.data() + i * sketch.dimension();
  const real* least = minima.data() + i * sketch.blocks();
  const double norm = queries.norms[static_cast<std::size_t>(i)];
  // Each side of a comparison may be off: the bound or product of this point, the value of the best, and h in both.
  const double h_rounding = 4 * static_cast<double>(sketch.dimension()) * unit_roundoff * largest_h;
  const auto exact_margin = static_cast<real>(2 * (sketch.product_margin(norm) + h_rounding));
  const auto bound_margin = static_cast<real>(sketch.margin(norm) + h_rounding) + exact_margin;
  const real mean_product = engine::simd::kernels().dot(target.dimension(), query, target.mean().data());
  const auto budget = products + static_cast<std::int64_t>(most_products * static_cast<double>(target.size())) + 64;

  real best = infinity;
  std::vector<Candidate> candidates, pending;
  // Points lie anywhere in memory: while a few are on their way to the cache, the bounds of the next block are
  // computed.
  constexpr std::size_t most_pending = 8;
  const auto compute_pending = [&] {
    for (const Candidate& point : pending) {
      if (point.value > best + bound_margin) continue;
      const real value = h.data()[point.index] - (target.product(query, point.index) - mean_product);
      ++products;
      best = std::min(best, value);
      if (value <= best + exact_margin) candidates.push_back({value, point.index});
    }
    pending.clear();
  };
  alignas(64) real bounds[block_size];
  const auto compute_bounds = [&](std::int64_t b) {
    engine::simd::kernels().block_values(sketch.dimension(), sketch.block(b), h.data() + b * block_size, coordinates,
                                         bounds);
  };

  // The point with the least bound is nearly the best: its value spares most others.
  const std::int64_t first = std::min_element(least, least + sketch.blocks()) - least;
  compute_bounds(first);
  const std::int64_t lowest = std::min_element(bounds, bounds + block_size) - bounds;
  pending.push_back({bounds[lowest], first * block_size + lowest});
  compute_pending();

  std::vector<std::int64_t> order;
  for (std::int64_t b = 0; b < sketch.blocks(); ++b)
    if (least[b] <= best + bound_margin) order.push_back(b);
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return least[a] < least[b]; });
  for (std::int64_t b : order) {
    if (least[b] > best + bound_margin) break;
    if (products > budget) return abandoned;
    compute_bounds(b);
    for (std::int64_t lane = 0; lane < block_size; ++lane) {
      const std::int64_t j = b * block_size + lane;
      if (bounds[lane] > best + bound_margin || j >= target.size()) continue;
      target.prefetch(j);
      pending.push_back({bounds[lane], j});
    }
    if (pending.size() >= most_pending) compute_pending();
  }
  compute_pending();
  return settle(i, candidates, best + exact_margin);
}

std::int64_t PrunedCTransform::Search::settle(std::int64_t i, const std::vector<Candidate>& candidates,
                                              real highest) const {
  double lowest = std::numeric_limits<double>::infinity();
  std::int64_t winner = abandoned;
  for (const Candidate& candidate : candidates) {
    if (candidate.value > highest) continue;
    const double exact = target.scale() * target.squared_distance(x.data() + i * target.dimension(), candidate.index) -
                         psi.data()[candidate.index];
    if (exact < lowest || (exact == lowest && candidate.index < winner)) lowest = exact, winner = candidate.index;
  }
  return winner;
}

// Tries a few queries: whether most of them find their winner within the budget.
bool PrunedCTransform::bounds_help(const Search& search) const {
  constexpr std::int64_t probes = 8;
  const std::int64_t batch = search.x.dim(0), count = std::min(batch, probes);
  std::atomic<std::int64_t> found = 0;
  engine::parallel_for(count, 1, [&](std::int64_t probe, std::int64_t) {
    std::int64_t products = 0;
    found += search.winner(probe * batch / count, products) != abandoned;
  });
  return 2 * found > count;
}

std::optional<std::vector<std::int64_t>> PrunedCTransform::winners(const Tensor& x, const Tensor& psi) {
  constexpr std::int64_t longest_rest = 64;
  if (rest_ > 0) {
    --rest_;
    return std::nullopt;
  }
  if (!sketch_) sketch_ = std::make_unique<Sketch>(target_);
  // A fit costs about as much as a few hundred products a query: only where many more than after the last one are due.
  bool fitted = sketch_->fits() == 0 || products_per_query_ > 2 * products_after_fit_ + 200;
  if (fitted) sketch_->fit(x);

  auto search = std::make_unique<Search>(target_, *sketch_, x, psi);
  bool helps = bounds_help(*search);
  if (!helps && !fitted) {
    fitted = true;
    sketch_->fit(x);
    search = std::make_unique<Search>(target_, *sketch_, x, psi);
    helps = bounds_help(*search);
  }
  if (!helps) {
    rest_ = next_rest_;
    next_rest_ = std::min(longest_rest, 2 * next_rest_);
    return std::nullopt;
  }
  next_rest_ = 1;

  const std::int64_t batch = x.dim(0);
  std::vector<std::int64_t> winners(static_cast<std::size_t>(batch));
  std::vector<std::int64_t> products(static_cast<std::size_t>(batch));
  engine::parallel_for(batch, 2, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto index = static_cast<std::size_t>(i);
      winners[index] = search->winner(i, products[index]);
    }
  });
  double total = 0;
  for (std::int64_t count : products) total += static_cast<double>(count);
  products_per_query_ = total / static_cast<double>(batch);
  if (fitted) products_after_fit_ = products_per_query_;
  return winners;
}

}  // namespace ot
