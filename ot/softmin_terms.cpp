#include "ot/softmin_terms.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "engine/parallel.h"

namespace ot {

using engine::parallel_for;
using engine::simd::block_size;
using engine::simd::group_size;
using engine::simd::groups_in_block;

namespace {

constexpr real infinity = std::numeric_limits<real>::infinity();

struct Query {
  std::int64_t i;
  double best;          // the least u so far
  real group_cut, cut;  // of the least bounds of groups that may matter, and of the bounds of their points
  double groups = 0;
};

class Search {
 public:
  Search(const BatchBounds& bounds, const ByteDistances* distances, double lambda, double reach)
      : bounds_(bounds), distances_(distances), lambda_(lambda), reach_(reach) {}

  void start(const std::vector<std::int64_t>& queries) {
    queries_.resize(queries.size());
    constexpr std::int64_t grain = 32;
    parallel_for(static_cast<std::int64_t>(queries.size()), grain, [&](std::int64_t begin, std::int64_t end) {
      const std::vector<std::int64_t> some(queries.begin() + begin, queries.begin() + end);
      const std::vector<Neighbour> least = bounds_.least(some);
      for (std::size_t q = 0; q < some.size(); ++q)
        queries_[static_cast<std::size_t>(begin) + q] = started(some[q], least[q].value);
    });
  }

  /// The points that matter in the blocks begin..end-1: found[q] for queries[q].
  void visit(std::int64_t begin, std::int64_t end, std::vector<std::vector<Neighbour>>& found,
             std::vector<double>& values) const {
    std::vector<Query> queries = queries_;
    found.resize(queries.size());
    values.resize(queries.size());
    for (std::int64_t b = begin; b < end; ++b) {
      if (b + 1 < end)
        for (std::int64_t g = 0; g < groups_in_block; ++g)
          bounds_.sketch().prefetch_group((b + 1) * groups_in_block + g);
      for (std::size_t q = 0; q < queries.size(); ++q) visit_block(queries[q], b, found[q], values[q]);
    }
  }

  const std::vector<Query>& queries() const { return queries_; }

 private:
  /// The tail of a query is what it leaves out by the bounds of whole groups.
  Query started(std::int64_t i, double best) const {
    constexpr double width = 0.25;  // of a bin, in lambdas
    constexpr std::size_t bins = 256;
    const std::int64_t blocks = bounds_.sketch().blocks();
    const double points = static_cast<double>(bounds_.target().size()), rate = bounds_.target().scale() / lambda_;
    const real farthest = bounds_.cut(i, best + reach_);
    std::array<double, bins> groups = {};
    for (std::int64_t b = 0; b < blocks; ++b) {
      const real* minima = bounds_.minima(i, b);
      for (std::int64_t g = 0; g < groups_in_block; ++g) {
        if (minima[g] > farthest) continue;
        const double distance = rate * bounds_.above(i, minima[g], best) / width;
        ++groups[std::min(bins - 1, static_cast<std::size_t>(std::max(0.0, distance)))];
      }
    }
    double tail = points * std::exp(-reach_ / lambda_), left_out = 0;
    std::size_t end = bins;
    for (; end > 0; --end) {
      tail -= groups[end - 1] * group_size * std::exp(-width * static_cast<double>(end - 1));
      if (tail < 0) break;
      left_out += groups[end - 1];
    }
    double all = 0;
    for (const double count : groups) all += count;
    const double reach = std::min(reach_, lambda_ * width * static_cast<double>(end));
    return {i, best, std::min(farthest, bounds_.cut(i, best + reach)), farthest, all - left_out};
  }

  void visit_block(Query& query, std::int64_t b, std::vector<Neighbour>& found, double& values) const {
    std::int32_t points[block_size];
    std::size_t count = 0;
    const real* minima = bounds_.minima(query.i, b);
    for (std::int64_t g = 0; g < groups_in_block; ++g) {
      if (minima[g] > query.group_cut) continue;
      real bound[group_size];
      bounds_.coarse(query.i, b * groups_in_block + g, bound);
      for (std::int64_t l = 0; l < group_size; ++l) {
        points[count] = static_cast<std::int32_t>(g * group_size + l);
        count += bound[l] <= query.cut && bound[l] < infinity;
      }
    }
    if (count == 0) return;
    values += static_cast<double>(count);
    double u[block_size];
    if (distances_) distances_->squared(query.i, b * block_size, {points, count}, u);
    for (std::size_t c = 0; c < count; ++c) {
      const std::int64_t j = b * block_size + points[c];
      const double value = distances_ ? bounds_.value_at(u[c], j) : bounds_.value(query.i, j);
      if (value > query.best + reach_) continue;
      found.push_back({j, value});
      query.best = std::min(query.best, value);
    }
  }

  const BatchBounds& bounds_;
  const ByteDistances* distances_;
  double lambda_, reach_;
  std::vector<Query> queries_;
};

}  // namespace

void find_terms(const BatchBounds& bounds, const ByteDistances* distances, double lambda, double reach,
                const std::vector<std::int64_t>& queries, std::vector<Neighbour>* neighbours, SearchWork* work) {
  Search search(bounds, distances, lambda, reach);
  search.start(queries);
  constexpr std::int64_t grain = 32;  // blocks
  const auto pieces = static_cast<std::size_t>((bounds.sketch().blocks() + grain - 1) / grain);
  std::vector<std::vector<std::vector<Neighbour>>> found(pieces);
  std::vector<std::vector<double>> values(pieces);
  parallel_for(bounds.sketch().blocks(), grain, [&](std::int64_t begin, std::int64_t end) {
    const auto piece = static_cast<std::size_t>(begin / grain);
    search.visit(begin, end, found[piece], values[piece]);
  });
  parallel_for(static_cast<std::int64_t>(queries.size()), 8, [&](std::int64_t begin, std::int64_t end) {
    for (auto q = static_cast<std::size_t>(begin); q < static_cast<std::size_t>(end); ++q) {
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t piece = 0; piece < pieces; ++piece) {
        work[q].values += values[piece][q];
        for (const Neighbour& neighbour : found[piece][q]) least = std::min(least, neighbour.value);
      }
      neighbours[q].reserve(static_cast<std::size_t>(work[q].values));
      for (std::size_t piece = 0; piece < pieces; ++piece)
        for (const Neighbour& neighbour : found[piece][q])
          if (neighbour.value <= least + reach) neighbours[q].push_back(neighbour);
      work[q].groups = search.queries()[q].groups;
      work[q].terms = static_cast<double>(neighbours[q].size());
    }
  });
}

}  // namespace ot
