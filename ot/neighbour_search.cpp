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

// A query gives up when its work would cost as much as the values of this share of all points: about half of what its
// part of the full product costs.
constexpr double most_cost = 1.0 / 32;

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
  // The neighbours of queries begin..end-1, written to neighbours[0], ...; empty where given up. Adds to `work`.
  void search(std::int64_t begin, std::int64_t end, std::vector<Neighbour>* neighbours, Work* work) const;

 private:
  struct Query;
  void compute_bounds(std::int64_t i, std::int64_t b, real* bounds) const {
    engine::simd::kernels().block_values(sketch_.dimension(), sketch_.block(b), h_.data() + b * block_size,
                                         queries_.coarse.data() + i * sketch_.dimension(), bounds);
  }
  void start(Query& query) const;
  void collect(Query& query, std::int64_t b) const;
  std::vector<Neighbour> finish(Query& query) const;
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

struct NeighbourSearch::Batch::Query {
  // A point that has passed the coarse bound, with its fine bound or so far the coarse part of it.
  struct Candidate {
    std::int64_t index;
    real bound;
  };

  std::int64_t i;
  Work& work;
  real margin;
  double best = std::numeric_limits<double>::infinity();
  real cut = infinity;  // in bounds
  std::vector<Neighbour> found = {};
  std::vector<Candidate> candidates = {};

  void add(const Batch& batch, std::int64_t j) {
    const double u = batch.value(i, j);
    ++work.values;
    if (u > best + batch.reach_) return;
    found.push_back({j, u});
    if (u >= best) return;
    best = u;
    const double squared_norm = batch.queries_.squared_norm[static_cast<std::size_t>(i)];
    cut = static_cast<real>(((best + batch.reach_) / batch.target_.scale() - squared_norm) / 2) + margin;
  }
};

// The point with the least bound is nearly the best: its value spares most others.
void NeighbourSearch::Batch::start(Query& query) const {
  alignas(64) real bounds[block_size];
  const real* least = minima_.data() + query.i * sketch_.blocks();
  const std::int64_t b = std::min_element(least, least + sketch_.blocks()) - least;
  compute_bounds(query.i, b, bounds);
  query.add(*this, b * block_size + (std::min_element(bounds, bounds + block_size) - bounds));
}

void NeighbourSearch::Batch::collect(Query& query, std::int64_t b) const {
  alignas(64) real bounds[block_size];
  compute_bounds(query.i, b, bounds);
  ++query.work.blocks;
  const std::int64_t points = std::min(block_size, target_.size() - b * block_size);
  for (std::int64_t lane = 0; lane < points; ++lane) {
    if (bounds[lane] > query.cut) continue;
    const std::int64_t j = b * block_size + lane;
    query.candidates.push_back({j, h_.data()[j] - sketch_.coarse_part(queries_, query.i, j)});
  }
}

std::vector<Neighbour> NeighbourSearch::Batch::finish(Query& query) const {
  // Records and points lie anywhere in memory: each is asked for well before it is read.
  constexpr std::size_t ahead = 8;
  auto& candidates = query.candidates;
  query.work.fine_bounds += static_cast<double>(candidates.size());
  if (query.work.cost() > 64 + most_cost * static_cast<double>(target_.size())) return {};
  const std::int64_t first = query.found.front().index;
  std::size_t passed = 0;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    if (c + ahead < candidates.size()) sketch_.prefetch(candidates[c + ahead].index);
    const real bound = candidates[c].bound - sketch_.fine_part(queries_, query.i, candidates[c].index);
    if (bound <= query.cut && candidates[c].index != first) candidates[passed++] = {candidates[c].index, bound};
  }
  candidates.resize(passed);
  std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.bound < b.bound; });
  for (std::size_t c = 0; c < passed && candidates[c].bound <= query.cut; ++c) {
    if (c + ahead < passed) target_.prefetch(candidates[c + ahead].index);
    query.add(*this, candidates[c].index);
  }
  std::erase_if(query.found, [&](const Neighbour& neighbour) { return neighbour.value > query.best + reach_; });
  return std::move(query.found);
}

// Goes through the blocks for all its queries at a time, while a block is in the cache.
void NeighbourSearch::Batch::search(std::int64_t begin, std::int64_t end, std::vector<Neighbour>* neighbours,
                                    Work* work) const {
  std::vector<Query> queries;
  for (std::int64_t i = begin; i < end; ++i)
    queries.push_back({i, work[i - begin], queries_.margin[static_cast<std::size_t>(i)] + rounding_of_h_});
  for (Query& query : queries) start(query);
  for (std::int64_t b = 0; b < sketch_.blocks(); ++b)
    for (Query& query : queries)
      if (minima_.data()[query.i * sketch_.blocks() + b] <= query.cut) collect(query, b);
  for (Query& query : queries) neighbours[query.i - begin] = finish(query);
}

// Tries a few queries: whether most of them end within their budget.
bool NeighbourSearch::bounds_help(const Batch& batch) const {
  constexpr std::int64_t most_probes = 8;
  const std::int64_t probes = std::min(batch.size(), most_probes);
  std::atomic<std::int64_t> ended = 0;
  engine::parallel_for(probes, 1, [&](std::int64_t probe, std::int64_t) {
    const std::int64_t i = probe * batch.size() / probes;
    Work work;
    std::vector<Neighbour> neighbours;
    batch.search(i, i + 1, &neighbours, &work);
    ended += !neighbours.empty();
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
  // Queries that share a pass over the blocks: one pass a thread. Each query's result is its own.
  const std::int64_t grain = std::max<std::int64_t>(8, (x.dim(0) + engine::threads() - 1) / engine::threads());
  engine::parallel_for(x.dim(0), grain, [&](std::int64_t begin, std::int64_t end) {
    batch->search(begin, end, neighbours.data() + begin, work.data() + begin);
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
