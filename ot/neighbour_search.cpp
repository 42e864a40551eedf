#include "ot/neighbour_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"
#include "ot/byte_products.h"

namespace ot {

using engine::Tensor;
using engine::simd::block_size;
using engine::simd::group_size;
using engine::simd::groups_in_block;

namespace {

constexpr real infinity = std::numeric_limits<real>::infinity();
constexpr double unit_roundoff = std::numeric_limits<real>::epsilon() / 2;

// The work of a query, as the values of a share of all points, at which the brute force is as fast: what its part of
// that costs, less what all queries cost anyway. With byte products (ByteProducts) that is cheap, the more so for
// lambda = 0.
double most_cost(const Target& target, double lambda) {
  const double points = static_cast<double>(target.size());
  if (!ByteProducts::available(target)) return 64 + points / 16;
  return 64 + (lambda > 0 ? points / 24 : points / 60);
}

// A single query may take several times as much before it is left to the brute force, which costs more where it is for
// a few queries alone.
constexpr double most_for_one = 4;

// How many calls are left to the brute force after a failure, and how many times its cost a fit waits, at most.
constexpr int longest_rest = 16, most_patience = 8;

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
        minima_(engine::Shape{sketch.blocks(), x.dim(0), groups_in_block}) {
    prepare_offsets();
    constexpr std::int64_t grain = 16;  // blocks whose coordinates stay in the cache while all queries pass
    engine::parallel_for(sketch.blocks(), grain, [&](std::int64_t begin, std::int64_t end) {
      engine::simd::kernels().group_minima(end - begin, sketch.dimension(), sketch.block(begin),
                                           h_.data() + begin * block_size, size(), queries_.coarse.data(),
                                           minima_.data() + begin * size() * groups_in_block);
    });
  }

  std::int64_t size() const { return x_.dim(0); }
  // The neighbours of queries begin..end-1, written to neighbours[0], ...; empty where given up. Adds to `work`.
  void search(std::int64_t begin, std::int64_t end, std::vector<Neighbour>* neighbours, Work* work) const;

 private:
  struct Query;
  // The least bounds of query i over the groups of block b.
  const real* minima(std::int64_t i, std::int64_t b) const {
    return minima_.data() + (b * size() + i) * groups_in_block;
  }
  // For the points of a group: the coarse bounds of query i, and h less the product of their coarse coordinates with C
  // x', a, the first part of the fine ones; [2, group_size].
  void bound(std::int64_t i, std::int64_t group, real* bounds) const {
    const std::int64_t b = group / groups_in_block, first = group % groups_in_block * group_size;
    engine::simd::kernels().group_values(sketch_.dimension(), sketch_.block(b) + first,
                                         h_.data() + b * block_size + first, 2,
                                         queries_.both.data() + i * 2 * sketch_.dimension(), bounds);
  }
  void start(std::vector<Query>& queries) const;
  void collect(Query& query, std::int64_t group) const;
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
  double most_ = most_for_one * most_cost(target_, lambda_);  // that a query may cost
  Sketch::Queries queries_;
  Tensor h_, minima_;
  real rounding_of_h_ = 0;
};

void NeighbourSearch::Batch::prepare_offsets() {
  std::fill_n(h_.data() + target_.size(), h_.size() - target_.size(), infinity);
  const auto norms = target_.centred_squared_norms();
  const auto weights = target_.weights(), log_weights = target_.log_weights();
  constexpr std::int64_t piece = 8192;
  std::vector<double> largest(static_cast<std::size_t>((target_.size() + piece - 1) / piece));
  engine::parallel_for(target_.size(), piece, [&](std::int64_t begin, std::int64_t end) {
    double& most = largest[static_cast<std::size_t>(begin / piece)];
    for (std::int64_t j = begin; j < end; ++j) {
      const auto index = static_cast<std::size_t>(j);
      const double dual = (psi_.data()[j] + lambda_ * log_weights[index]) / target_.scale();
      h_.data()[j] = weights[index] == 0 ? infinity : static_cast<real>((norms[index] - dual) / 2);
      if (weights[index] != 0) most = std::max(most, static_cast<double>(norms[index]) + std::abs(dual));
    }
  });
  const double most = *std::max_element(largest.begin(), largest.end());
  rounding_of_h_ = static_cast<real>(4 * static_cast<double>(sketch_.dimension()) * unit_roundoff * most);
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
void NeighbourSearch::Batch::start(std::vector<Query>& queries) const {
  struct Least {
    real bound = infinity;
    std::int64_t group = 0;
  };
  std::vector<Least> least(queries.size());
  for (std::int64_t b = 0; b < sketch_.blocks(); ++b) {
    const real* bounds = minima(queries.front().i, b);
    for (Least& l : least)
      for (std::int64_t g = 0; g < groups_in_block; ++g, ++bounds)
        if (*bounds < l.bound) l = {*bounds, b * groups_in_block + g};
  }
  for (std::size_t q = 0; q < queries.size(); ++q) {
    real bounds[2 * group_size];
    bound(queries[q].i, least[q].group, bounds);
    queries[q].add(*this, least[q].group * group_size + (std::min_element(bounds, bounds + group_size) - bounds));
  }
}

void NeighbourSearch::Batch::collect(Query& query, std::int64_t group) const {
  real bounds[2 * group_size];
  bound(query.i, group, bounds);
  for (std::int64_t l = 0; l < group_size; ++l)
    if (bounds[l] <= query.cut && bounds[l] < infinity)
      query.candidates.push_back({group * group_size + l, bounds[group_size + l]});
}

std::vector<Neighbour> NeighbourSearch::Batch::finish(Query& query) const {
  // Records and points lie anywhere in memory: each is asked for well before it is read.
  constexpr std::size_t ahead = 8;
  auto& candidates = query.candidates;
  query.work.fine_bounds += static_cast<double>(candidates.size());
  if (query.work.cost() > most_) return {};
  const std::int64_t first = query.found.front().index;
  std::size_t passed = 0;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    if (c + ahead < candidates.size()) sketch_.prefetch(candidates[c + ahead].index);
    const real bound = candidates[c].bound - sketch_.fine_part(queries_, query.i, candidates[c].index);
    if (bound <= query.cut && candidates[c].index != first) candidates[passed++] = {candidates[c].index, bound};
  }
  candidates.resize(passed);
  if (lambda_ > 0) {  // most of them will be terms
    Work expected = query.work;
    expected.values = expected.terms = static_cast<double>(passed);
    if (expected.cost() > most_) {
      query.work = expected;
      return {};
    }
  }
  std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.bound < b.bound; });
  for (std::size_t c = 0; c < passed && candidates[c].bound <= query.cut; ++c) {
    if (c + ahead < passed) target_.prefetch(candidates[c + ahead].index);
    query.add(*this, candidates[c].index);
  }
  std::erase_if(query.found, [&](const Neighbour& neighbour) { return neighbour.value > query.best + reach_; });
  if (lambda_ > 0) query.work.terms = static_cast<double>(query.found.size());
  return std::move(query.found);
}

// Goes through the blocks for all its queries at a time, while a block is in the cache.
void NeighbourSearch::Batch::search(std::int64_t begin, std::int64_t end, std::vector<Neighbour>* neighbours,
                                    Work* work) const {
  std::vector<Query> queries;
  for (std::int64_t i = begin; i < end; ++i)
    queries.push_back({i, work[i - begin], queries_.margin[static_cast<std::size_t>(i)] + rounding_of_h_});
  start(queries);
  struct Visit {
    std::int32_t query, group;
  };
  std::vector<Visit> visits;
  for (std::int64_t b = 0; b < sketch_.blocks(); ++b) {
    const real* bounds = minima(begin, b);
    for (std::size_t q = 0; q < queries.size(); ++q)
      for (std::int64_t g = 0; g < groups_in_block; ++g, ++bounds) {
        if (*bounds > queries[q].cut) continue;
        ++queries[q].work.groups;
        if (queries[q].work.cost() <= most_)
          visits.push_back({static_cast<std::int32_t>(q), static_cast<std::int32_t>(b * groups_in_block + g)});
      }
  }
  constexpr std::size_t ahead = 4;
  for (std::size_t v = 0; v < visits.size(); ++v) {
    if (v + ahead < visits.size() && visits[v + ahead].group != visits[v + ahead - 1].group)
      sketch_.prefetch_group(visits[v + ahead].group);
    collect(queries[static_cast<std::size_t>(visits[v].query)], visits[v].group);
  }
  for (Query& query : queries) neighbours[query.i - begin] = finish(query);
}

double NeighbourSearch::cost_of_fit(std::int64_t queries) const {
  return 1.3 * static_cast<double>(target_.size()) / static_cast<double>(queries);
}

NeighbourSearch::Work NeighbourSearch::mean(const std::vector<Work>& works) {
  const double share = 1 / static_cast<double>(works.size());
  Work result;
  for (const Work& work : works) {
    result.groups += share * work.groups;
    result.fine_bounds += share * work.fine_bounds;
    result.values += share * work.values;
    result.terms += share * work.terms;
  }
  return result;
}

// A few queries of the batch tell what all will cost.
NeighbourSearch::Probe NeighbourSearch::probe(const Batch& batch) const {
  constexpr std::int64_t most_probes = 8;
  const std::int64_t probes = std::min(batch.size(), most_probes);
  std::vector<Work> work(static_cast<std::size_t>(probes));
  std::vector<std::vector<Neighbour>> neighbours(work.size());
  engine::parallel_for(probes, 1, [&](std::int64_t p, std::int64_t) {
    const std::int64_t i = p * batch.size() / probes;
    batch.search(i, i + 1, neighbours.data() + p, work.data() + p);
  });
  const double cost = mean(work).cost();
  return {cost < most_cost(target_, lambda_), cost};
}

// As with skis to rent or to buy: a fit is due once the work above the least since the last one has cost as much as it
// would, or several times as much where the last one spared little.
bool NeighbourSearch::fit_is_due(double cost, std::int64_t queries) const {
  return excess_ + cost - least_cost_ > patience_ * cost_of_fit(queries);
}

std::optional<std::vector<std::vector<Neighbour>>> NeighbourSearch::find(const Tensor& x, const Tensor& psi,
                                                                         double lambda, double reach) {
  if (lambda != lambda_) lambda_ = lambda, rest_ = 0, next_rest_ = 1;
  if (rest_ > 0) {
    --rest_;
    return std::nullopt;
  }
  if (!sketch_) sketch_ = std::make_unique<Sketch>(target_);
  const bool first = sketch_->fits() == 0;
  if (first) sketch_->fit(x);
  auto batch = std::make_unique<Batch>(target_, *sketch_, x, psi, lambda, reach);
  Probe probed = probe(*batch);
  if (!first && (!probed.helps || fit_is_due(probed.cost, x.dim(0)))) {
    sketch_->fit(x);
    batch = std::make_unique<Batch>(target_, *sketch_, x, psi, lambda, reach);
    const Probe before = std::exchange(probed, probe(*batch));
    const double gain = before.cost - probed.cost;
    patience_ = gain > cost_of_fit(x.dim(0)) / 8 ? 1 : std::min(most_patience, 2 * patience_);
    excess_ = 0;
    least_cost_ = std::numeric_limits<double>::infinity();
  }
  if (!probed.helps) {
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
  work_ = mean(work);
  least_cost_ = std::min(least_cost_, work_.cost());
  excess_ += work_.cost() - least_cost_;
  return neighbours;
}

}  // namespace ot
