#include "ot/search/nearest_points.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"
#include "ot/bytes/byte_products.h"

namespace ot {

using engine::parallel_for;
using engine::Tensor;
using engine::simd::block_size;
using engine::simd::group_size;
using engine::simd::groups_in_block;
using engine::simd::kernels;

namespace {

/// The time of a query's products with so many points in 16 bits, over that of one value; measured.
double work_in_16_bits(double points) {
  return points / (kernels().digits.bits == 16 ? 40 : 60);
}

constexpr real infinity = std::numeric_limits<real>::infinity();

/// A point whose bound does not tell that it is beyond a query's reach.
struct Candidate {
  std::int32_t query, place;
  real bound;
};

struct Query {
  std::int64_t i;
  Neighbour first;  // the point with the least bound
  real cut;
};

/// Of a block that is multiplied, what each query pays, on average, and what that spares all; otherwise 0.
struct Multiplied {
  double each = 0, spares = 0;
};

/// A few consecutive blocks: few, as those that many queries need stand together.
struct Stretch {
  static constexpr std::int64_t size = 8;

  /// Some groups of one of the blocks, a bit for each, may have points that a query needs.
  struct Need {
    std::int32_t query;
    std::uint8_t groups;
  };

  std::span<Need> needs_of(std::int64_t at) { return std::span(needs).subspan(begin[at], begin[at + 1] - begin[at]); }

  std::vector<Need> needs;  // of the blocks one after the other
  std::size_t begin[size + 1] = {};
  Multiplied multiplied[size];
  std::vector<Candidate> candidates;
};

class Search {
 public:
  Search(const BatchBounds& bounds, ByteBlocks* laid_out, double reach, const std::vector<std::int64_t>& indices,
         std::int64_t batch, std::vector<SearchWork>& work)
      : bounds_(bounds),
        laid_out_(laid_out),
        reach_(reach),
        share_(static_cast<double>(batch) / static_cast<double>(indices.size())),
        work_(work),
        queries_(indices.size()),
        query_of_(static_cast<std::size_t>(bounds.size()), -1),
        stretches_(static_cast<std::size_t>((blocks() + Stretch::size - 1) / Stretch::size)) {
    work_.assign(indices.size(), {});
    parallel_for(std::ssize(indices), 16, [&](std::int64_t begin, std::int64_t end) {
      for (auto q = static_cast<std::size_t>(begin); q < static_cast<std::size_t>(end); ++q) {
        const Neighbour first = bounds_.least(indices[q]);
        queries_[q] = {indices[q], first, bounds_.cut(indices[q], first.value + reach_)};
        query_of_[static_cast<std::size_t>(indices[q])] = static_cast<std::int32_t>(q);
      }
    });
  }

  std::vector<std::vector<Neighbour>> run(double most) {
    for_blocks([&](std::int64_t b, Stretch& stretch, std::int64_t at) { find_needs(b, stretch, at); });
    choose_multiplied_blocks();
    for (Stretch& stretch : stretches_)
      for (std::int64_t at = 0; at < Stretch::size; ++at)
        for (const Stretch::Need& need : stretch.needs_of(at)) account(stretch.multiplied[at], need);
    for (const SearchWork& of_query : work_) given_up_.push_back(of_query.cost() > most);
    for_blocks([&](std::int64_t b, Stretch& stretch, std::int64_t at) { visit(b, stretch, at); });

    std::vector<std::vector<Candidate>> candidates(queries_.size());
    for (const Stretch& stretch : stretches_) {
      for (const Candidate& candidate : stretch.candidates)
        candidates[static_cast<std::size_t>(candidate.query)].push_back(candidate);
    }
    std::vector<std::vector<Neighbour>> neighbours(queries_.size());
    parallel_for(std::ssize(queries_), 4, [&](std::int64_t begin, std::int64_t end) {
      for (auto q = static_cast<std::size_t>(begin); q < static_cast<std::size_t>(end); ++q)
        if (!given_up_[q]) neighbours[q] = finish(queries_[q], candidates[q], work_[q]);
    });
    return neighbours;
  }

 private:
  static constexpr double apart = 1;  // the work of a group, with those of its points that pass, typically

  std::int64_t blocks() const { return bounds_.sketch().blocks(); }

  const Query& query(const Stretch::Need& need) const { return queries_[static_cast<std::size_t>(need.query)]; }

  template <class Body>
  void for_blocks(const Body& body) {
    parallel_for(blocks(), Stretch::size, [&](std::int64_t begin, std::int64_t end) {
      Stretch& stretch = stretches_[static_cast<std::size_t>(begin / Stretch::size)];
      for (std::int64_t b = begin; b < end; ++b) body(b, stretch, b - begin);
    });
  }

  void find_needs(std::int64_t b, Stretch& stretch, std::int64_t at) const {
    // Bounds of few queries lie far apart: those of the next block are asked for before they are read.
    if (const std::int64_t next = std::min(b + 1, blocks() - 1); bounds_.near(next).size() < queries_.size())
      for (const std::int32_t i : bounds_.near(next))
        for (std::int64_t g = 0; g < groups_in_block; ++g) __builtin_prefetch(bounds_.minima(next, g) + i);
    double groups = 0;
    const auto meet = [&](std::int32_t q) {
      const Query& query = queries_[static_cast<std::size_t>(q)];
      unsigned needed = 0;
      for (std::int64_t g = 0; g < groups_in_block; ++g)
        needed |= static_cast<unsigned>(within(bounds_.minima(b, g)[query.i], query)) << g;
      if (needed == 0) return;
      stretch.needs.push_back({q, static_cast<std::uint8_t>(needed)});
      groups += std::popcount(needed);
    };
    const auto near = bounds_.near(b);
    if (near.size() < queries_.size()) {
      for (const std::int32_t i : near)
        if (const std::int32_t q = query_of_[static_cast<std::size_t>(i)]; q >= 0) meet(q);
    } else {
      for (std::size_t q = 0; q < queries_.size(); ++q) meet(static_cast<std::int32_t>(q));
    }
    std::fill(stretch.begin + at + 1, std::end(stretch.begin), stretch.needs.size());
    const auto queries = static_cast<double>(stretch.needs_of(at).size());
    if (queries == 0 || !laid_out_) return;
    const double all = work_in_16_bits(group_size * groups + block_size * laid_out_->layout_time() / share_);
    if (apart * groups > all) stretch.multiplied[at] = {all / queries, apart * groups - all};
  }

  /// Blocks are multiplied only if they spare more than it takes to round the queries to digits.
  void choose_multiplied_blocks() {
    constexpr double rounding = 30;  // the work, for a query
    double spared = 0;
    for (const Stretch& stretch : stretches_)
      for (const Multiplied& block : stretch.multiplied) spared += block.spares;
    if (spared > rounding * static_cast<double>(queries_.size())) {
      products_.emplace(bounds_.target(), centred_queries());
      return;
    }
    for (Stretch& stretch : stretches_)
      for (Multiplied& block : stretch.multiplied) block = {};
  }

  Tensor centred_queries() const {
    const std::int64_t d = bounds_.target().dimension();
    Tensor rows({std::ssize(queries_), d});
    real* row = rows.data();
    for (const Query& query : queries_) row = std::copy_n(bounds_.x().data() + query.i * d, d, row);
    return bounds_.target().centred(rows);
  }

  void account(const Multiplied& block, const Stretch::Need& need) {
    SearchWork& work = work_[static_cast<std::size_t>(need.query)];
    if (block.each > 0)
      work.values += block.each;
    else
      work.groups += std::popcount(need.groups);
  }

  void visit(std::int64_t b, Stretch& stretch, std::int64_t at) const {
    const std::span<Stretch::Need> needs = stretch.needs_of(at);
    if (needs.empty()) return;
    if (stretch.multiplied[at].each > 0) return multiply_block(b, needs, stretch.candidates);
    for (const Stretch::Need& need : needs)
      if (!given_up_[static_cast<std::size_t>(need.query)]) bound_groups(b, need, stretch.candidates);
  }

  /// All points of the groups that are needed of a block, in 16 bits.
  void multiply_block(std::int64_t b, std::span<const Stretch::Need> needs, std::vector<Candidate>& candidates) const {
    std::vector<std::int32_t> queries;
    std::vector<std::uint8_t> wanted;
    for (const Stretch::Need& need : needs)
      if (!given_up_[static_cast<std::size_t>(need.query)]) {
        queries.push_back(need.query);
        wanted.push_back(need.groups);
      }
    if (queries.empty()) return;
    ByteBlock spare(bounds_.target());
    const ByteBlock* const block = &laid_out_->at(b, spare);
    Tensor products({std::ssize(queries), block_size});
    products_->multiply(products_->digits_of_16_bits(), queries, {&block, 1}, products.data(), wanted);
    const real *product = products.data(), *offset = bounds_.offsets(b);
    for (const std::int32_t q : queries) {
      const auto error = static_cast<real>(products_->error_bound(q, products_->digits_of_16_bits()));
      // Finite, so that no place without a point is below it.
      const real limit = std::min(queries_[static_cast<std::size_t>(q)].cut + error, std::numeric_limits<real>::max());
      std::int32_t passed[block_size];
      const std::int64_t count = kernels().find_affine(block_size, offset, -1, product, limit, passed);
      for (std::int64_t c = 0; c < count; ++c)
        candidates.push_back(
            {q, static_cast<std::int32_t>(b * block_size) + passed[c], offset[passed[c]] - product[passed[c]] - error});
      product += block_size;
    }
  }

  /// The points of the groups that a query needs in a block, by their bounds.
  void bound_groups(std::int64_t b, const Stretch::Need& need, std::vector<Candidate>& candidates) const {
    const Query& query = this->query(need);
    for (std::int64_t g = 0; g < groups_in_block; ++g) {
      if (!(need.groups >> g & 1)) continue;
      const std::int64_t group = b * groups_in_block + g;
      real bounds[group_size];
      bounds_.bounds(query.i, group, bounds);
      for (std::int64_t l = 0; l < group_size; ++l)
        if (within(bounds[l], query))
          candidates.push_back({need.query, static_cast<std::int32_t>(group * group_size + l), bounds[l]});
    }
  }

  /// Places without a point have infinite bounds, and so may cuts be.
  static bool within(real bound, const Query& query) { return bound <= query.cut && bound < infinity; }

  std::vector<Neighbour> finish(const Query& query, std::vector<Candidate>& candidates, SearchWork& work) const {
    std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.bound < b.bound; });
    std::vector<Neighbour> found = {query.first};
    double best = query.first.value;
    real cut = query.cut;
    constexpr std::size_t ahead = 8;  // points lie anywhere in memory: each is asked for before it is read
    for (std::size_t c = 0; c < candidates.size() && candidates[c].bound <= cut; ++c) {
      if (c + ahead < candidates.size()) bounds_.target().prefetch(bounds_.point(candidates[c + ahead].place));
      const std::int64_t place = candidates[c].place;
      if (place == query.first.place) continue;
      ++work.values;
      const double value = bounds_.value(query.i, bounds_.point(place));
      if (value > best + reach_) continue;
      found.push_back({place, value});
      if (value >= best) continue;
      best = value;
      cut = bounds_.cut(query.i, best + reach_);
    }
    std::erase_if(found, [&](const Neighbour& neighbour) { return neighbour.value > best + reach_; });
    return found;
  }

  const BatchBounds& bounds_;
  ByteBlocks* laid_out_;
  double reach_, share_;
  std::vector<SearchWork>& work_;
  std::vector<Query> queries_;
  std::vector<std::int32_t> query_of_;  // of each row of the batch, -1 for those that are not asked about
  std::vector<Stretch> stretches_;
  std::vector<bool> given_up_;
  std::optional<ByteProducts> products_;  // of the queries in their order
};

}  // namespace

std::vector<std::vector<Neighbour>> find_nearest(const BatchBounds& bounds, ByteBlocks* blocks, double reach,
                                                 double most, const std::vector<std::int64_t>& queries,
                                                 std::int64_t batch, std::vector<SearchWork>& work) {
  return Search(bounds, blocks, reach, queries, batch, work).run(most);
}

}  // namespace ot
