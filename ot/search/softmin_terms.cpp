#include "ot/search/softmin_terms.h"

#include <algorithm>
#include <bit>
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

// Of a few consecutive queries how many groups have a least bound so many times `width` lambda above the least u; the
// last bin has all beyond.
struct Histograms {
  static constexpr std::int64_t most = 16;
  static constexpr std::size_t bins = 256;
  static constexpr double width = 64.0 / bins;  // a reach is at most 64 lambda

  Histograms(const BatchBounds& bounds, std::int64_t first, std::int64_t count, double lambda) {
    for (std::int64_t q = 0; q < count; ++q) {
      best[q] = bounds.least(first + q).value;
      nearest[q] = bounds.cut(first + q, best[q]);
    }
    const auto rate = static_cast<real>(2 * bounds.target().scale() / (lambda * width));
    const std::int64_t groups = bounds.sketch().blocks() * groups_in_block;
    for (std::int64_t g = 0; g < groups; ++g) {
      // Bounds over a group are far from those over the next: they are asked for before they are read.
      __builtin_prefetch(bounds.minima(0, std::min(g + 16, groups - 1)) + first);
      const real* const minima = bounds.minima(0, g) + first;
      constexpr real last = bins - 1;
      std::int32_t bin[most];
      for (std::int64_t q = 0; q < count; ++q)
        bin[q] = static_cast<std::int32_t>(std::min(std::max((minima[q] - nearest[q]) * rate, real{0}), last));
      for (std::int64_t q = 0; q < count; ++q) ++counts[q][bin[q]];
    }
  }

  double best[most];
  real nearest[most];
  std::int32_t counts[most][bins] = {};
};

}  // namespace

// A stretch of blocks as it is gone through.
class TermSearch::Visit {
 public:
  Visit(std::vector<Query> of_queries, std::size_t most_rows, double lambda)
      : queries(std::move(of_queries)), work(queries.size()), rate_(static_cast<real>(1 / lambda)) {
    piece.buffer = engine::Buffer(most_rows * block_size * sizeof(real));
  }

  /// Keeps the terms of a query with a block, where u = base + offset + scale product - shift, unless their sum
  /// tells that none matters.
  void add_row(std::int32_t q, std::int64_t block, double base, real shift, const real* offset, real scale,
               const real* product) {
    // Larger terms come with larger exponents, which are rounded more: then the least u is the better base.
    constexpr real largest_sum = 0x1p16;
    real* const terms = piece.terms() + std::ssize(piece.rows) * block_size;
    const auto sum_of_terms = [&](real origin) {
      return kernels().exp_affine(block_size, offset, scale, product, origin, rate_, terms);
    };
    real sum = sum_of_terms(shift);
    if (sum < queries[static_cast<std::size_t>(q)].least_sum) return;
    if (!(sum < largest_sum)) {
      const real least = kernels().min_affine(block_size, offset, scale, product).value;
      sum = sum_of_terms(least);
      base += static_cast<double>(least) - shift;
    }
    piece.rows.push_back({q, static_cast<std::int32_t>(block), base, sum});
    ++work[static_cast<std::size_t>(q)].rows;
  }

  std::vector<Query> queries;
  std::vector<SearchWork> work;  // of each query
  SoftminTerms::Piece piece;

 private:
  real rate_;
};

TermSearch::TermSearch(const BatchBounds& bounds, const ByteValues& values, double lambda, double reach)
    : bounds_(bounds),
      values_(values),
      lambda_(lambda),
      reach_(reach),
      queries_(static_cast<std::size_t>(bounds.size())),
      group_cuts_(queries_.size()),
      needs_(static_cast<std::size_t>(bounds.sketch().blocks())) {
  parallel_for(bounds.size(), Histograms::most, [&](std::int64_t begin, std::int64_t end) { start(begin, end); });
  centre_ = queries_.front().origin - bounds.target().scale() * bounds.squared_norm(0);
  parallel_for(std::ssize(needs_), SoftminTerms::blocks_in_piece, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) needs_[static_cast<std::size_t>(b)] = needs_of(b);
  });
}

// The tail of a query is what it leaves out by the bounds of whole groups.
void TermSearch::start(std::int64_t begin, std::int64_t end) {
  const Histograms groups(bounds_, begin, end - begin, lambda_);
  const double points = static_cast<double>(bounds_.target().size()), width = lambda_ * Histograms::width;
  for (std::int64_t q = begin; q < end; ++q) {
    const std::int32_t* const counts = groups.counts[q - begin];
    auto bins = static_cast<std::size_t>(std::min<double>(Histograms::bins, std::floor(reach_ / width) + 1));
    double near = std::accumulate(counts, counts + bins, 0.0);
    // Of the groups' half of what may be left out, what those beyond the reach don't take.
    double tail = std::min(points, group_size * near) * std::exp(-reach_ / lambda_);
    for (; bins > 0; --bins) {
      tail -= counts[bins - 1] * group_size * std::exp(-Histograms::width * static_cast<double>(bins - 1));
      if (tail < 0) break;
      near -= counts[bins - 1];
    }
    // Finite, also where it overflows, so that no place without a point is below it.
    const double best = groups.best[q - begin];
    const auto cut = [&](double farthest) {
      return std::min(bounds_.cut(q, best + farthest), std::numeric_limits<real>::max());
    };
    // Of fewer points each may be larger, for the same sum.
    const double reach = reach_ - lambda_ * std::log(points / std::min(points, group_size * std::max(near, 1.0)));
    const auto index = static_cast<std::size_t>(q);
    queries_[index] = {best, best, reach, cut(reach), static_cast<real>(std::exp(-reach / lambda_))};
    group_cuts_[index] = cut(std::min(reach_, width * static_cast<double>(bins)));
  }
}

TermSearch::Needs TermSearch::needs_of(std::int64_t b) const {
  const std::size_t batch = queries_.size();
  std::vector<std::int32_t> groups(batch), queries(batch + 1);
  for (std::int64_t g = 0; g < groups_in_block; ++g) {
    const real* const minima = bounds_.minima(b, g);
    for (std::size_t q = 0; q < batch; ++q) groups[q] |= static_cast<std::int32_t>(minima[q] <= group_cuts_[q]) << g;
  }
  // Without branches, as half of all queries may need a block.
  std::size_t count = 0;
  for (std::size_t q = 0; q < batch; ++q) {
    queries[count] = static_cast<std::int32_t>(q);
    count += groups[q] != 0;
  }
  Needs needs;
  needs.queries.assign(queries.data(), queries.data() + count);
  needs.groups.reserve(count);
  for (const std::int32_t q : needs.queries) {
    const auto of_query = static_cast<std::uint8_t>(groups[static_cast<std::size_t>(q)]);
    needs.groups.push_back(of_query);
    needs.all_groups += std::popcount(of_query);
  }
  needs.multiplied = values_.products && work_of_block(needs) < work_of_points(needs).cost();
  return needs;
}

SearchWork TermSearch::expected_work() const {
  SearchWork work;
  for (const Needs& needs : needs_) {
    work.rows += static_cast<double>(needs.queries.size());
    if (needs.multiplied)
      work.values += work_of_block(needs);
    else
      work += work_of_points(needs);
  }
  return work / static_cast<double>(queries_.size());
}

SearchWork TermSearch::work_of_points(const Needs& needs) const {
  return work_of_groups(static_cast<double>(needs.all_groups),
                        static_cast<double>(groups_in_block * std::ssize(queries_)));
}

// As a number of values, by products.
double TermSearch::work_of_block(const Needs& needs) const {
  const auto pairs = static_cast<double>(needs.all_groups * group_size);
  const double laid_out = pairs + block_size * values_.blocks->layout_time();
  return work_of_products(kernels().digits, laid_out, values_.digits) + pairs / measured::terms;
}

SoftminTerms TermSearch::find(std::vector<SearchWork>& work) const {
  constexpr std::int64_t grain = SoftminTerms::blocks_in_piece;
  SoftminTerms terms;
  terms.pieces.resize((needs_.size() + grain - 1) / grain);
  std::vector<std::vector<SearchWork>> works(terms.pieces.size());
  parallel_for(std::ssize(needs_), grain, [&](std::int64_t begin, std::int64_t end) {
    Visit visit = this->visit(begin, end);
    terms.pieces[static_cast<std::size_t>(begin / grain)] = std::move(visit.piece);
    works[static_cast<std::size_t>(begin / grain)] = std::move(visit.work);
  });
  work.assign(queries_.size(), {});
  for (const std::vector<SearchWork>& of_piece : works)
    for (std::size_t q = 0; q < work.size(); ++q) work[q] += of_piece[q];
  return terms;
}

// The terms of the blocks begin..end-1.
TermSearch::Visit TermSearch::visit(std::int64_t begin, std::int64_t end) const {
  const auto needs_at = [&](std::int64_t b) -> const Needs& { return needs_[static_cast<std::size_t>(b)]; };
  std::size_t most_rows = 0;
  for (std::int64_t b = begin; b < end; ++b) most_rows += needs_at(b).queries.size();
  Visit visit(queries_, most_rows, lambda_);
  std::vector<std::int64_t> alike;  // blocks that the same queries need, to be multiplied together
  const auto visit_alike = [&] {
    if (!alike.empty()) visit_blocks(alike, visit);
    alike.clear();
  };
  for (std::int64_t b = begin; b < end; ++b) {
    const Needs& needs = needs_at(b);
    if (b + 1 < end && !needs_at(b + 1).multiplied && !needs_at(b + 1).queries.empty())
      for (std::int64_t g = 0; g < groups_in_block; ++g) bounds_.sketch().prefetch_group((b + 1) * groups_in_block + g);
    if (needs.queries.empty()) continue;
    // Rows stand in the order of blocks.
    if (!needs.multiplied || (!alike.empty() && needs_at(alike.front()).queries != needs.queries)) visit_alike();
    if (!needs.multiplied) {
      for (std::size_t n = 0; n < needs.queries.size(); ++n) visit_points(needs.queries[n], b, needs.groups[n], visit);
      continue;
    }
    alike.push_back(b);
    if (std::ssize(alike) == ByteProducts::blocks_together) visit_alike();
  }
  visit_alike();
  return visit;
}

// Asks the points of query q in some groups of a block for their values one by one, where their bounds allow them to
// matter.
void TermSearch::visit_points(std::int32_t q, std::int64_t b, std::uint8_t groups, Visit& visit) const {
  Query& query = visit.queries[static_cast<std::size_t>(q)];
  SearchWork& work = visit.work[static_cast<std::size_t>(q)];
  std::int32_t lanes[block_size], points[block_size];
  std::size_t count = 0;
  for (std::int64_t g = 0; g < groups_in_block; ++g) {
    if (!(groups >> g & 1)) continue;
    ++work.groups;
    real bound[group_size];
    bounds_.bounds(q, b * groups_in_block + g, bound);
    for (std::int64_t l = 0; l < group_size; ++l) {
      lanes[count] = static_cast<std::int32_t>(g * group_size + l);
      count += bound[l] <= query.cut;
    }
  }
  if (count == 0) return;
  work.values += static_cast<double>(count);
  for (std::size_t c = 0; c < count; ++c)
    points[c] = static_cast<std::int32_t>(bounds_.point(b * block_size + lanes[c]));
  double u[block_size];
  for (std::size_t c = 0; c < count; ++c) u[c] = bounds_.value(q, points[c]);
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

// The values of all points of the groups of some blocks that the same queries need.
void TermSearch::visit_blocks(std::span<const std::int64_t> blocks, Visit& visit) const {
  const std::vector<std::int32_t>& queries = needs_[static_cast<std::size_t>(blocks.front())].queries;
  std::vector<ByteBlock> spare(blocks.size(), ByteBlock(bounds_.target()));
  std::vector<const ByteBlock*> laid_out;
  std::vector<std::uint8_t> wanted(queries.size() * blocks.size());
  for (const std::int64_t b : blocks) {
    const std::vector<std::uint8_t>& groups = needs_[static_cast<std::size_t>(b)].groups;
    for (std::size_t n = 0; n < queries.size(); ++n) wanted[n * blocks.size() + laid_out.size()] = groups[n];
    laid_out.push_back(&values_.blocks->at(b, spare[laid_out.size()]));
  }
  const std::int64_t width = std::ssize(blocks) * block_size;
  Tensor products({std::ssize(queries), width});
  values_.products->multiply(values_.digits, queries, laid_out, products.data(), wanted);

  const double scale = bounds_.target().scale();
  const real* of_block = products.data();
  for (const std::int64_t b : blocks) {
    // u = scale (||x'||^2 - 2 x'.y') + centre + offset
    const std::span<const std::int64_t> points = bounds_.sketch().points_of(b);
    real offset[block_size];
    std::fill_n(offset, block_size, std::numeric_limits<real>::infinity());  // where a block has no point
    for (std::size_t l = 0; l < points.size(); ++l) {
      const std::size_t place = static_cast<std::size_t>(b * block_size) + l;
      offset[l] = static_cast<real>(bounds_.value_at(bounds_.sketch().squared_norms()[place], points[l]) - centre_);
    }
    const double work = work_of_block(needs_[static_cast<std::size_t>(b)]) / static_cast<double>(queries.size());
    const real* product = of_block;
    for (const std::int32_t q : queries) {
      const auto index = static_cast<std::size_t>(q);
      const double of_query = scale * bounds_.squared_norm(q) + centre_;
      const auto shift = static_cast<real>(queries_[index].origin - of_query);
      visit.add_row(q, b, of_query + shift, shift, offset, static_cast<real>(-2 * scale), product);
      visit.work[index].values += work;
      product += width;
    }
    of_block += block_size;
  }
}

}  // namespace ot
