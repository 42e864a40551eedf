#include "ot/softmin_terms.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::parallel_for;
using engine::Tensor;
using engine::simd::block_size;
using engine::simd::group_size;
using engine::simd::groups_in_block;
using engine::simd::kernels;

namespace {

struct Query {
  std::int64_t i;
  double origin, best;  // the least u at the start, and so far
  double reach;         // points with u > best + reach don't matter
  real group_cut, cut;  // of the least bounds of groups that may matter, and of the bounds of their points
  real least_sum;       // of a whole block's terms e^{(origin - u) / lambda}: below, none of its points matters
};

// Whether all points of so many groups, each by itself, take longer than their block.
bool apart_is_dear(std::int64_t groups) {
  return static_cast<double>(groups * group_size) * kernels().digits.apart > block_size;
}

// How many groups have a least bound so many times `width` lambda above the least u; the last bin has all beyond.
struct Groups {
  static constexpr double width = 0.25;
  static constexpr std::size_t bins = 256;

  Groups(const BatchBounds& bounds, std::int64_t query, double lambda)
      : i(query),
        best(bounds.least(query).value),
        nearest(bounds.cut(query, best)),
        rate(static_cast<real>(2 * bounds.target().scale() / (lambda * width))) {}

  void count(const real* minima) {
    constexpr real last = bins - 1;
    std::int32_t bin[groups_in_block];
    for (std::int64_t g = 0; g < groups_in_block; ++g)
      bin[g] = static_cast<std::int32_t>(std::min(std::max((minima[g] - nearest) * rate, real{0}), last));
    for (const std::int32_t b : bin) ++counts[static_cast<std::size_t>(b)];
  }

  std::int64_t i;
  double best;
  real nearest, rate;
  std::array<std::int32_t, bins> counts = {};
};

// A stretch of blocks as it is gone through.
class Visit {
 public:
  Visit(std::vector<Query> of_queries, std::int64_t most_rows, double lambda)
      : queries(std::move(of_queries)), work(queries.size()), rate_(static_cast<real>(1 / lambda)) {
    piece.buffer = engine::Buffer(static_cast<std::size_t>(most_rows * block_size) * sizeof(real));
  }

  /// Keeps the terms of a query with a block, where u = base + offset + scale product - shift, unless their sum
  /// tells that none matters.
  void add_row(std::size_t q, std::int64_t block, double base, real shift, const real* offset, real scale,
               const real* product) {
    // Larger terms come with larger exponents, which are rounded more: then the least u is the better base.
    constexpr real largest_sum = 0x1p16;
    real* const terms = piece.terms() + std::ssize(piece.rows) * block_size;
    const auto sum_of_terms = [&](real origin) {
      return kernels().exp_affine(block_size, offset, scale, product, origin, rate_, terms);
    };
    real sum = sum_of_terms(shift);
    if (sum < queries[q].least_sum) return;
    if (!(sum < largest_sum)) {
      const real least = kernels().min_affine(block_size, offset, scale, product).value;
      sum = sum_of_terms(least);
      base += static_cast<double>(least) - shift;
    }
    piece.rows.push_back({static_cast<std::int32_t>(q), static_cast<std::int32_t>(block), base, sum});
    ++work[q].rows;
  }

  std::vector<Query> queries;
  std::vector<SearchWork> work;  // of each query
  SoftminTerms::Piece piece;

 private:
  real rate_;
};

class Search {
 public:
  Search(const BatchBounds& bounds, const ByteValues& values, double lambda, double reach,
         const std::vector<std::int64_t>& indices)
      : bounds_(bounds), values_(values), lambda_(lambda), reach_(reach), queries_(indices.size()) {
    constexpr std::int64_t grain = 8;
    parallel_for(std::ssize(indices), grain, [&](std::int64_t begin, std::int64_t end) {
      std::vector<Groups> groups;
      for (std::int64_t q = begin; q < end; ++q)
        groups.emplace_back(bounds_, indices[static_cast<std::size_t>(q)], lambda_);
      for (std::int64_t b = 0; b < bounds_.sketch().blocks(); ++b) {
        // Bounds of a block are far from those of the next: they are asked for before they are read.
        const std::int64_t ahead = std::min(b + 16, bounds_.sketch().blocks() - 1);
        __builtin_prefetch(bounds_.minima(groups.front().i, ahead));
        __builtin_prefetch(bounds_.minima(groups.back().i, ahead));
        for (Groups& of_query : groups) of_query.count(bounds_.minima(of_query.i, b));
      }
      for (std::int64_t q = begin; q < end; ++q)
        queries_[static_cast<std::size_t>(q)] = started(groups[static_cast<std::size_t>(q - begin)]);
    });
    const Query& first = queries_.front();
    centre_ = first.origin - bounds_.target().scale() * bounds_.squared_norm(first.i);
  }

  SearchWork expected() const {
    constexpr double passing = 0.6;  // share of the points of a group that pass their own bounds, typically
    const double per_query = static_cast<double>(bounds_.size()) / static_cast<double>(queries_.size());
    SearchWork work;
    for (std::int64_t b = 0; b < bounds_.sketch().blocks(); ++b) {
      double whole = 0, groups_of_whole = 0, groups_apart = 0, rows = 0;
      for (const Query& query : queries_) {
        const std::int64_t groups = groups_of(query, b);
        const bool dear = values_.blocks && apart_is_dear(groups);
        whole += dear;
        rows += groups > 0;
        (dear ? groups_of_whole : groups_apart) += static_cast<double>(groups);
      }
      work.rows += rows;
      if (whole * per_query < fewest_for_block())
        groups_apart += groups_of_whole;
      else
        work.values += whole * work_of_block(whole * per_query);
      work.groups += groups_apart;
      work.values += passing * group_size * groups_apart;
    }
    return work / static_cast<double>(queries_.size());
  }

  /// The terms of the blocks begin..end-1.
  Visit visit(std::int64_t begin, std::int64_t end) const {
    std::array<Needs, SoftminTerms::blocks_in_piece> needs;
    std::int64_t most_rows = 0;
    for (std::int64_t b = begin; b < end; ++b) {
      const Needs& of_block = needs[static_cast<std::size_t>(b - begin)] = needs_of(b);
      most_rows += std::ssize(of_block.whole) + std::ssize(of_block.apart);
    }
    Visit visit(queries_, most_rows, lambda_);
    ByteBlock spare(bounds_.target());
    for (std::int64_t b = begin; b < end; ++b) {
      const Needs& of_block = needs[static_cast<std::size_t>(b - begin)];
      if (b + 1 < end && !needs[static_cast<std::size_t>(b + 1 - begin)].apart.empty())
        for (std::int64_t g = 0; g < groups_in_block; ++g)
          bounds_.sketch().prefetch_group((b + 1) * groups_in_block + g);
      for (const std::size_t q : of_block.apart) visit_groups(q, b, visit);
      if (!of_block.whole.empty()) visit_block(of_block.whole, b, spare, visit);
    }
    return visit;
  }

 private:
  /// The queries that need all points of a block, and those that need a few.
  struct Needs {
    std::vector<std::size_t> whole, apart;
  };

  Needs needs_of(std::int64_t b) const {
    Needs needs;
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      const std::int64_t groups = groups_of(queries_[q], b);
      if (groups > 0) (values_.blocks && apart_is_dear(groups) ? needs.whole : needs.apart).push_back(q);
    }
    if (static_cast<double>(needs.whole.size()) < fewest_for_block()) {
      needs.apart.insert(needs.apart.end(), needs.whole.begin(), needs.whole.end());
      needs.whole.clear();
    }
    return needs;
  }

  /// Queries for which a block's layout pays.
  double fewest_for_block() const { return values_.blocks && values_.laid_out->kept() ? 1 : 8; }

  /// The tail of a query is what it leaves out by the bounds of whole groups.
  Query started(const Groups& groups) const {
    const double points = static_cast<double>(bounds_.target().size()), width = lambda_ * Groups::width;
    auto end = static_cast<std::size_t>(std::min<double>(Groups::bins, std::floor(reach_ / width) + 1));
    double near = std::accumulate(groups.counts.begin(), groups.counts.begin() + static_cast<std::ptrdiff_t>(end), 0.0);
    // Of the groups' half of what may be left out, what those beyond the reach don't take.
    double tail = std::min(points, group_size * near) * std::exp(-reach_ / lambda_);
    for (; end > 0; --end) {
      tail -= groups.counts[end - 1] * group_size * std::exp(-Groups::width * static_cast<double>(end - 1));
      if (tail < 0) break;
      near -= groups.counts[end - 1];
    }
    // Finite, also where it overflows, so that no place without a point is below it.
    const auto cut = [&](double farthest) {
      return std::min(bounds_.cut(groups.i, groups.best + farthest), std::numeric_limits<real>::max());
    };
    // Of fewer points each may be larger, for the same sum.
    const double reach = reach_ - lambda_ * std::log(points / std::min(points, group_size * std::max(near, 1.0)));
    return {groups.i,
            groups.best,
            groups.best,
            reach,
            cut(std::min(reach_, width * static_cast<double>(end))),
            cut(reach),
            static_cast<real>(std::exp(-reach / lambda_))};
  }

  std::int64_t groups_of(const Query& query, std::int64_t b) const {
    const real* minima = bounds_.minima(query.i, b);
    return std::count_if(minima, minima + groups_in_block, [&](real least) { return least <= query.group_cut; });
  }

  /// Of each query that needs all points of a block, of so many, as a number of values.
  double work_of_block(double queries) const {
    const engine::simd::Digits& digits = kernels().digits;
    // Digits of 8 bits are multiplied faster than single points come from memory; measured.
    const double from_memory = digits.bits == 8 ? 3 : 1;
    return block_size / (digits.apart * from_memory) * (1 + values_.laid_out->layout_time() / queries);
  }

  /// Asks the points of query q in a block for their values one by one, where their bounds allow them to matter.
  void visit_groups(std::size_t q, std::int64_t b, Visit& visit) const {
    Query& query = visit.queries[q];
    std::int32_t lanes[block_size], points[block_size];
    std::size_t count = 0;
    const real* minima = bounds_.minima(query.i, b);
    for (std::int64_t g = 0; g < groups_in_block; ++g) {
      if (minima[g] > query.group_cut) continue;
      ++visit.work[q].groups;
      real bound[group_size];
      bounds_.coarse(query.i, b * groups_in_block + g, bound);
      for (std::int64_t l = 0; l < group_size; ++l) {
        lanes[count] = static_cast<std::int32_t>(g * group_size + l);
        count += bound[l] <= query.cut;
      }
    }
    if (count == 0) return;
    visit.work[q].values += static_cast<double>(count);
    for (std::size_t c = 0; c < count; ++c)
      points[c] = static_cast<std::int32_t>(bounds_.point(b * block_size + lanes[c]));
    double squared[block_size];
    if (values_.apart) values_.apart->squared(query.i, {points, count}, squared);
    double u[block_size];
    for (std::size_t c = 0; c < count; ++c)
      u[c] = values_.apart ? bounds_.value_at(squared[c], points[c]) : bounds_.value(query.i, points[c]);
    const double least = *std::min_element(u, u + count);
    query.best = std::min(query.best, least);
    if (least > query.best + query.reach) return;
    static constexpr real zeros[block_size] = {};
    real excess[block_size];
    std::fill_n(excess, block_size, std::numeric_limits<real>::infinity());
    for (std::size_t c = 0; c < count; ++c)
      if (u[c] <= query.best + query.reach) excess[lanes[c]] = static_cast<real>(u[c] - least);
    visit.add_row(q, b, least, 0, excess, 0, zeros);
  }

  /// The values of all points of a block for the queries in `whole`.
  void visit_block(const std::vector<std::size_t>& whole, std::int64_t b, ByteBlock& spare, Visit& visit) const {
    const std::span<const std::int64_t> points = bounds_.sketch().points_of(b);
    const ByteBlock& block = values_.laid_out->at(b, spare);
    std::vector<std::int32_t> rows;
    for (const std::size_t q : whole) rows.push_back(static_cast<std::int32_t>(queries_[q].i));
    Tensor products({std::ssize(rows), block_size});
    values_.blocks->multiply(values_.blocks->most_digits(), rows, block, products.data());

    // u = scale (||x'||^2 - 2 x'.y') + centre + offset
    real offset[block_size];
    std::fill_n(offset, block_size, std::numeric_limits<real>::infinity());  // where a block has no point
    for (std::size_t l = 0; l < points.size(); ++l) {
      const std::size_t place = static_cast<std::size_t>(b * block_size) + l;
      offset[l] = static_cast<real>(bounds_.value_at(bounds_.sketch().squared_norms()[place], points[l]) - centre_);
    }
    const double scale = bounds_.target().scale();
    const double work = work_of_block(static_cast<double>(whole.size()));
    const real* product = products.data();
    for (const std::size_t q : whole) {
      const Query& query = queries_[q];
      const double of_query = scale * bounds_.squared_norm(query.i) + centre_;
      const auto shift = static_cast<real>(query.origin - of_query);
      visit.add_row(q, b, of_query + shift, shift, offset, static_cast<real>(-2 * scale), product);
      visit.work[q].values += work;
      product += block_size;
    }
  }

  const BatchBounds& bounds_;
  ByteValues values_;
  double lambda_, reach_;
  std::vector<Query> queries_;
  double centre_;  // what offsets have in common, such as a constant in psi: real rounds what differs
};

}  // namespace

bool ByteValues::blocks_alone() const {
  return blocks && laid_out->kept() && apart_is_dear(1);
}

SoftminTerms find_terms(const BatchBounds& bounds, const ByteValues& values, double lambda, double reach,
                        const std::vector<std::int64_t>& queries, SearchWork* work) {
  const Search search(bounds, values, lambda, reach, queries);
  const std::int64_t blocks = bounds.sketch().blocks();
  constexpr std::int64_t grain = SoftminTerms::blocks_in_piece;
  SoftminTerms terms;
  terms.pieces.resize(static_cast<std::size_t>((blocks + grain - 1) / grain));
  std::vector<std::vector<SearchWork>> works(terms.pieces.size());
  parallel_for(blocks, grain, [&](std::int64_t begin, std::int64_t end) {
    Visit visit = search.visit(begin, end);
    terms.pieces[static_cast<std::size_t>(begin / grain)] = std::move(visit.piece);
    works[static_cast<std::size_t>(begin / grain)] = std::move(visit.work);
  });
  std::fill_n(work, queries.size(), SearchWork{});
  for (const std::vector<SearchWork>& of_piece : works)
    for (std::size_t q = 0; q < queries.size(); ++q) work[q] += of_piece[q];
  return terms;
}

SearchWork expected_work(const BatchBounds& bounds, const ByteValues& values, double lambda, double reach,
                         const std::vector<std::int64_t>& queries) {
  return Search(bounds, values, lambda, reach, queries).expected();
}

}  // namespace ot
