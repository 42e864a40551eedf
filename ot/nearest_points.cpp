#include "ot/nearest_points.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ot {

using engine::simd::group_size;
using engine::simd::groups_in_block;

namespace {

constexpr real infinity = std::numeric_limits<real>::infinity();
constexpr std::size_t ahead = 8;  // records and points lie anywhere in memory: each is asked for before it is read

class Query {
 public:
  Query(const BatchBounds& bounds, std::int64_t i, double reach, SearchWork& work)
      : bounds_(bounds), i_(i), reach_(reach), work_(work) {}

  real cut() const { return cut_; }
  SearchWork& work() { return work_; }

  void meet(const Neighbour& neighbour) {
    ++work_.values;
    if (neighbour.value > best_ + reach_) return;
    found_.push_back(neighbour);
    if (neighbour.value >= best_) return;
    best_ = neighbour.value;
    cut_ = bounds_.cut(i_, best_ + reach_);
  }

  void collect(std::int64_t group) {
    real bounds[2 * group_size];
    bounds_.coarse_and_fine(i_, group, bounds);
    for (std::int64_t l = 0; l < group_size; ++l)
      if (bounds[l] <= cut_ && bounds[l] < infinity)
        candidates_.push_back({group * group_size + l, bounds[group_size + l]});
  }

  std::vector<Neighbour> finish(double most) {
    work_.fine_bounds += static_cast<double>(candidates_.size());
    if (work_.cost() > most) return {};
    const std::int64_t first = found_.front().place;
    drop_by_fine_bounds();
    std::sort(candidates_.begin(), candidates_.end(), [](const auto& a, const auto& b) { return a.bound < b.bound; });
    for (std::size_t c = 0; c < candidates_.size() && candidates_[c].bound <= cut_; ++c) {
      if (c + ahead < candidates_.size()) bounds_.target().prefetch(bounds_.point(candidates_[c + ahead].place));
      const std::int64_t place = candidates_[c].place;
      if (place != first) meet({place, bounds_.value(i_, bounds_.point(place))});
    }
    std::erase_if(found_, [&](const Neighbour& neighbour) { return neighbour.value > best_ + reach_; });
    return std::move(found_);
  }

 private:
  // A point that has passed the coarse bound, with its fine bound or so far the coarse part of it.
  struct Candidate {
    std::int64_t place;
    real bound;
  };

  void drop_by_fine_bounds() {
    const Sketch& sketch = bounds_.sketch();
    std::size_t passed = 0;
    for (std::size_t c = 0; c < candidates_.size(); ++c) {
      if (c + ahead < candidates_.size()) sketch.prefetch(candidates_[c + ahead].place);
      const real bound = candidates_[c].bound - sketch.fine_part(bounds_.queries(), i_, candidates_[c].place);
      if (bound <= cut_) candidates_[passed++] = {candidates_[c].place, bound};
    }
    candidates_.resize(passed);
  }

  const BatchBounds& bounds_;
  std::int64_t i_;
  double reach_;
  SearchWork& work_;
  double best_ = std::numeric_limits<double>::infinity();
  real cut_ = infinity;
  std::vector<Neighbour> found_;
  std::vector<Candidate> candidates_;
};

}  // namespace

// Goes through the blocks for all its queries at a time, while a block is in the cache.
void find_nearest(const BatchBounds& bounds, double reach, double most, const std::vector<std::int64_t>& indices,
                  std::vector<Neighbour>* neighbours, SearchWork* work) {
  const std::vector<Neighbour> least = bounds.least(indices);
  std::vector<Query> queries;
  for (std::size_t q = 0; q < least.size(); ++q) {
    queries.emplace_back(bounds, indices[q], reach, work[q]);
    queries.back().meet(least[q]);
  }
  std::vector<real> cuts;
  for (const Query& query : queries) cuts.push_back(query.cut());
  struct Visit {
    std::int32_t query, group;
  };
  std::vector<Visit> visits;
  for (std::int64_t b = 0; b < bounds.sketch().blocks(); ++b)
    for (std::size_t q = 0; q < queries.size(); ++q) {
      const real* minima = bounds.minima(indices[q], b);
      if (*std::min_element(minima, minima + groups_in_block) > cuts[q]) continue;
      for (std::int64_t g = 0; g < groups_in_block; ++g) {
        if (minima[g] > cuts[q]) continue;
        ++queries[q].work().groups;
        if (queries[q].work().cost() <= most)
          visits.push_back({static_cast<std::int32_t>(q), static_cast<std::int32_t>(b * groups_in_block + g)});
      }
    }
  constexpr std::size_t groups_ahead = 4;
  for (std::size_t v = 0; v < visits.size(); ++v) {
    if (v + groups_ahead < visits.size() && visits[v + groups_ahead].group != visits[v + groups_ahead - 1].group)
      bounds.sketch().prefetch_group(visits[v + groups_ahead].group);
    queries[static_cast<std::size_t>(visits[v].query)].collect(visits[v].group);
  }
  for (std::size_t q = 0; q < queries.size(); ++q) neighbours[q] = queries[q].finish(most);
}

}  // namespace ot
