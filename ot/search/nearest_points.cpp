#include "ot/search/nearest_points.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

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
constexpr real infinity = std::numeric_limits<real>::infinity();
constexpr std::int64_t together = 8;  // blocks of a task: few, as those that many queries need stand together
}  // namespace

NearestSearch::NearestSearch(const BatchBounds& bounds, ByteBlocks* blocks, double reach)
    : bounds_(bounds),
      laid_out_(blocks),
      reach_(reach),
      queries_(static_cast<std::size_t>(bounds.size())),
      blocks_(static_cast<std::size_t>(bounds.sketch().blocks())),
      known_(queries_.size()),
      asked_(queries_.size()) {
  parallel_for(bounds.size(), 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t q = begin; q < end; ++q) {
      const Neighbour first = bounds_.least(q);
      queries_[static_cast<std::size_t>(q)] = {first, bounds_.cut(q, first.value + reach_)};
    }
  });
  parallel_for(std::ssize(blocks_), together, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) blocks_[static_cast<std::size_t>(b)] = block_of(b);
  });
  choose_multiplied_blocks();
  for (const Block& block : blocks_)
    for (const Need& need : block.needs) {
      const auto q = static_cast<std::size_t>(need.query);
      const int groups = std::popcount(need.groups);
      if (block.work > 0) {
        known_[q].values += block.work / static_cast<double>(block.needs.size());
      } else {
        known_[q].groups += groups;
        asked_[q] += block.asked * groups;
      }
    }
}

double NearestSearch::expected_cost(std::int64_t q) const {
  return known_[static_cast<std::size_t>(q)].cost() + asked_[static_cast<std::size_t>(q)];
}

SearchWork NearestSearch::expected_work() const {
  SearchWork sum;
  for (std::size_t q = 0; q < known_.size(); ++q) sum += known_[q], sum.values += asked_[q];
  return sum / static_cast<double>(known_.size());
}

std::vector<std::vector<Neighbour>> NearestSearch::find(double most, std::vector<SearchWork>& work) const {
  work = known_;
  std::vector<std::vector<Candidate>> of_tasks(
      static_cast<std::size_t>((std::ssize(blocks_) + together - 1) / together));
  parallel_for(std::ssize(blocks_), together, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Need> needs;
    for (std::int64_t b = begin; b < end; ++b) {
      needs.clear();
      for (const Need& need : blocks_[static_cast<std::size_t>(b)].needs)
        if (expected_cost(need.query) <= most) needs.push_back(need);
      if (!needs.empty()) visit(b, needs, of_tasks[static_cast<std::size_t>(begin / together)]);
    }
  });
  std::vector<std::vector<Candidate>> candidates(queries_.size());
  for (const std::vector<Candidate>& of_task : of_tasks)
    for (const Candidate& candidate : of_task)
      candidates[static_cast<std::size_t>(candidate.query)].push_back(candidate);
  std::vector<std::vector<Neighbour>> neighbours(queries_.size());
  parallel_for(std::ssize(queries_), 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      if (const auto q = static_cast<std::size_t>(i); expected_cost(i) <= most)
        neighbours[q] = finish(i, candidates[q], work[q]);
  });
  return neighbours;
}

NearestSearch::Block NearestSearch::block_of(std::int64_t b) const {
  // Bounds of few queries lie far apart: those of the next block are asked for before they are read.
  if (const std::int64_t next = std::min(b + 1, std::ssize(blocks_) - 1); bounds_.near(next).size() < queries_.size())
    for (const std::int32_t q : bounds_.near(next))
      for (std::int64_t g = 0; g < groups_in_block; ++g) __builtin_prefetch(bounds_.minima(next, g) + q);
  Block block;
  double groups = 0;
  for (const std::int32_t q : bounds_.near(b)) {
    const Query& query = queries_[static_cast<std::size_t>(q)];
    unsigned needed = 0;
    for (std::int64_t g = 0; g < groups_in_block; ++g)
      needed |= static_cast<unsigned>(within(bounds_.minima(b, g)[q], query)) << g;
    if (needed == 0) continue;
    block.needs.push_back({q, static_cast<std::uint8_t>(needed)});
    groups += std::popcount(needed);
  }
  if (block.needs.empty()) return block;
  const SearchWork one_by_one = work_of_groups(groups, static_cast<double>(groups_in_block * std::ssize(queries_)));
  block.asked = one_by_one.values / groups;
  if (!laid_out_) return block;
  const engine::simd::Digits& level = kernels().digits;
  const double pairs = group_size * groups + block_size * laid_out_->layout_time();
  const double work = work_of_products(level, pairs, 16 / level.bits);
  if (work < one_by_one.cost()) block.work = work, block.spared = one_by_one.cost() - work;
  return block;
}

// They are only multiplied if that spares more than it takes to round the queries to digits.
void NearestSearch::choose_multiplied_blocks() {
  double spared = 0;
  for (const Block& block : blocks_) spared += block.spared;
  if (spared > measured::query * static_cast<double>(queries_.size()))
    products_.emplace(bounds_.target(), bounds_.queries().centred);
  else
    for (Block& block : blocks_) block.work = 0;
}

void NearestSearch::visit(std::int64_t b, std::span<const Need> needs, std::vector<Candidate>& candidates) const {
  if (blocks_[static_cast<std::size_t>(b)].work > 0) return multiply_block(b, needs, candidates);
  for (const Need& need : needs) bound_groups(b, need, candidates);
}

// All points of the groups that are needed of a block, in 16 bits.
void NearestSearch::multiply_block(std::int64_t b, std::span<const Need> needs,
                                   std::vector<Candidate>& candidates) const {
  std::vector<std::int32_t> queries;
  std::vector<std::uint8_t> wanted;
  for (const Need& need : needs) queries.push_back(need.query), wanted.push_back(need.groups);
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

// The points of the groups that a query needs in a block, by their bounds.
void NearestSearch::bound_groups(std::int64_t b, Need need, std::vector<Candidate>& candidates) const {
  for (std::int64_t g = 0; g < groups_in_block; ++g) {
    if (!(need.groups >> g & 1)) continue;
    const std::int64_t group = b * groups_in_block + g;
    real bounds[group_size];
    bounds_.bounds(need.query, group, bounds);
    for (std::int64_t l = 0; l < group_size; ++l)
      if (within(bounds[l], queries_[static_cast<std::size_t>(need.query)]))
        candidates.push_back({need.query, static_cast<std::int32_t>(group * group_size + l), bounds[l]});
  }
}

bool NearestSearch::within(real bound, const Query& query) {
  return bound <= query.cut && bound < infinity;
}

std::vector<Neighbour> NearestSearch::finish(std::int64_t q, std::vector<Candidate>& candidates,
                                             SearchWork& work) const {
  const Query& query = queries_[static_cast<std::size_t>(q)];
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
    const double value = bounds_.value(q, bounds_.point(place));
    if (value > best + reach_) continue;
    found.push_back({place, value});
    if (value >= best) continue;
    best = value;
    cut = bounds_.cut(q, best + reach_);
  }
  std::erase_if(found, [&](const Neighbour& neighbour) { return neighbour.value > best + reach_; });
  return found;
}

}  // namespace ot
