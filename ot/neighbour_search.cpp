#include "ot/neighbour_search.h"

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

// A query gives up when its work has cost as much as the values of this share of all points: about what its part of the
// full product costs.
constexpr double most_cost = 1.0 / 16;

}  // namespace

// One batch against one psi. Bounds are those of v_ij = (u_ij / scale - ||x_i'||^2) / 2 = h_j - x_i'.y_j', where
// h_j = (||y_j'||^2 - (psi_j + lambda log(J nu_j)) / scale) / 2.
class NeighbourSearch::Batch {
 public:
  Batch(const Target& target, const Sketch& sketch, const Tensor& x, const Tensor& psi, double lambda, double reach)
      : target_(target),
        sketch_(sketch),
        x_(x),
        psi_(psi),
        lambda_(lambda),
        reach_(reach),
        queries_(sketch.queries(x)),
        h_(engine::Shape{sketch.blocks() * block_size}),
        minima_(engine::Shape{x.dim(0), sketch.blocks()}) {
    prepare_offsets();
    constexpr std::int64_t grain = 16;  // blocks whose coordinates stay in the cache while all queries pass
    engine::parallel_for(sketch.blocks(), grain, [&](std::int64_t begin, std::int64_t end) {
      engine::simd::kernels().block_minima(end - begin, sketch.dimension(), sketch.block(begin),
                                           h_.data() + begin * block_size, size(), queries_.coarse.data(),
                                           minima_.data() + begin, sketch.blocks());
    });
  }

  std::int64_t size() const { return x_.dim(0); }
  // The neighbours of query i, empty if given up; sets `work`.
  std::vector<Neighbour> search(std::int64_t i, Work& work) const;

 private:
  void prepare_offsets();
  double value(std::int64_t i, std::int64_t j) const {
    const auto index = static_cast<std::size_t>(j);
    return target_.scale() * target_.squared_distance(x_.data() + i * target_.dimension(), j) - psi_.data()[j] -
           lambda_ * target_.log_weights()[index];
  }

  const Target& target_;
  const Sketch& sketch_;
  const Tensor &x_, &psi_;
  double lambda_, reach_;
  Sketch::Queries queries_;
  Tensor h_, minima_;
  real rounding_of_h_ = 0;
};

void NeighbourSearch::Batch::prepare_offsets() {
  std::fill_n(h_.data() + target_.size(), h_.size() - target_.size(), infinity);
  const auto norms = target_.centred_squared_norms();
  const auto weights = target_.weights(), log_weights = target_.log_weights();
  double largest = 0;
  for (std::int64_t j = 0; j < target_.size(); ++j) {
    const auto index = static_cast<std::size_t>(j);
    if (weights[index] == 0) {
      h_.data()[j] = infinity;
      continue;
    }
    const double dual = (psi_.data()[j] + lambda_ * log_weights[index]) / target_.scale();
    h_.data()[j] = static_cast<real>((norms[index] - dual) / 2);
    largest = std::max(largest, static_cast<double>(norms[index]) + std::abs(dual));
  }
  rounding_of_h_ = static_cast<real>(4 * static_cast<double>(sketch_.dimension()) * unit_roundoff * largest);
}

std::vector<Neighbour> NeighbourSearch::Batch::search(std::int64_t i, Work& work) const {
  const auto index = static_cast<std::size_t>(i);
  const real* coordinates = queries_.coarse.data() + i * sketch_.dimension();
  const real* least = minima_.data() + i * sketch_.blocks();
  const real margin = queries_.margin[index] + rounding_of_h_;
  const double most_work = 64 + most_cost * static_cast<double>(target_.size());

  std::vector<Neighbour> found;
  double best = std::numeric_limits<double>::infinity();
  real cut = infinity;  // in bounds
  const auto add = [&](std::int64_t j) {
    const double u = value(i, j);
    ++work.values;
    if (u > best + reach_) return;
    found.push_back({j, u});
    if (u >= best) return;
    best = u;
    cut = static_cast<real>(((best + reach_) / target_.scale() - queries_.squared_norm[index]) / 2) + margin;
  };

  alignas(64) real bounds[block_size];
  const auto compute_bounds = [&](std::int64_t b) {
    engine::simd::kernels().block_values(sketch_.dimension(), sketch_.block(b), h_.data() + b * block_size, coordinates,
                                         bounds);
    ++work.blocks;
  };
  // Points and their records lie anywhere in memory: each is asked for well before it is read.
  struct Candidate {
    std::int64_t index;
    real bound;
  };
  constexpr std::size_t few = 8;
  std::vector<Candidate> coarse, fine;
  const auto read_points = [&] {
    for (const Candidate& candidate : fine)
      if (candidate.bound <= cut) add(candidate.index);
    fine.clear();
  };
  const auto read_records = [&] {
    for (const Candidate& candidate : coarse) {
      if (candidate.bound > cut) continue;
      const real bound = candidate.bound + sketch_.fine_gain(queries_, i, candidate.index);
      ++work.fine_bounds;
      if (bound > cut) continue;
      target_.prefetch(candidate.index);
      fine.push_back({candidate.index, bound});
    }
    coarse.clear();
    if (fine.size() >= few) read_points();
  };

  // The point with the least bound is nearly the best: its value spares most others.
  const std::int64_t first = std::min_element(least, least + sketch_.blocks()) - least;
  compute_bounds(first);
  const std::int64_t start = first * block_size + (std::min_element(bounds, bounds + block_size) - bounds);
  add(start);

  std::vector<std::int64_t> order;
  for (std::int64_t b = 0; b < sketch_.blocks(); ++b)
    if (least[b] <= cut) order.push_back(b);
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return least[a] < least[b]; });
  for (std::int64_t b : order) {
    if (least[b] > cut) break;
    if (work.cost() > most_work) return {};
    compute_bounds(b);
    for (std::int64_t lane = 0; lane < block_size; ++lane) {
      const std::int64_t j = b * block_size + lane;
      if (bounds[lane] > cut || j >= target_.size() || j == start) continue;
      sketch_.prefetch(j);
      coarse.push_back({j, bounds[lane]});
    }
    if (coarse.size() >= few) read_records();
  }
  read_records();
  read_points();
  std::erase_if(found, [&](const Neighbour& neighbour) { return neighbour.value > best + reach_; });
  return found;
}

// Tries a few queries: whether most of them end within their budget.
bool NeighbourSearch::bounds_help(const Batch& batch) const {
  constexpr std::int64_t most_probes = 8;
  const std::int64_t probes = std::min(batch.size(), most_probes);
  std::atomic<std::int64_t> ended = 0;
  engine::parallel_for(probes, 1, [&](std::int64_t probe, std::int64_t) {
    Work work;
    ended += !batch.search(probe * batch.size() / probes, work).empty();
  });
  return 2 * ended > probes;
}

std::optional<std::vector<std::vector<Neighbour>>> NeighbourSearch::find(const Tensor& x, const Tensor& psi,
                                                                         double lambda, double reach) {
  constexpr int longest_rest = 8;
  if (rest_ > 0) {
    --rest_;
    return std::nullopt;
  }
  if (!sketch_) sketch_ = std::make_unique<Sketch>(target_);
  // A fit costs about as much as a few dozen values a query: only where many more than after the last one are due.
  bool fitted = sketch_->fits() == 0 || work_.cost() > 1.5 * cost_after_fit_ + 50;
  if (fitted) sketch_->fit(x);
  auto batch = std::make_unique<Batch>(target_, *sketch_, x, psi, lambda, reach);
  bool helps = bounds_help(*batch);
  if (!helps && !fitted) {
    fitted = true;
    sketch_->fit(x);
    batch = std::make_unique<Batch>(target_, *sketch_, x, psi, lambda, reach);
    helps = bounds_help(*batch);
  }
  if (!helps) {
    rest_ = next_rest_;
    next_rest_ = std::min(longest_rest, 2 * next_rest_);
    return std::nullopt;
  }
  next_rest_ = 1;

  const auto size = static_cast<std::size_t>(x.dim(0));
  std::vector<std::vector<Neighbour>> neighbours(size);
  std::vector<Work> work(size);
  engine::parallel_for(x.dim(0), 2, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto index = static_cast<std::size_t>(i);
      neighbours[index] = batch->search(i, work[index]);
    }
  });
  work_ = {};
  for (const Work& w : work) {
    work_.blocks += w.blocks / static_cast<double>(size);
    work_.fine_bounds += w.fine_bounds / static_cast<double>(size);
    work_.values += w.values / static_cast<double>(size);
  }
  if (fitted) cost_after_fit_ = work_.cost();
  return neighbours;
}

}  // namespace ot
