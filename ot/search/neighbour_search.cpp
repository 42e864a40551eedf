#include "ot/search/neighbour_search.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/simd/kernels.h"
#include "ot/search/batch_bounds.h"
#include "ot/search/nearest_points.h"

namespace ot {

using engine::Tensor;

namespace {

// How far products may put terms of a softmin off, relative to them, where many terms even out.
constexpr double product_error = 0x1p-14;

// The work of a query, as the values of a share of all points, at which the brute force is as fast: what its part of
// that costs, less what all queries cost anyway. In digits (ByteProducts) that is cheap, the more so for lambda = 0,
// where a value is a row from memory. Measured on a Zen 5 and, for 16 bits, a Zen 3.
double most_cost(std::int64_t points, double lambda, const ByteBlocks* blocks) {
  const bool words = engine::simd::kernels().digits.bits == 16;
  double together = lambda == 0 ? 16 : 12;  // values that the brute force has in the time of one here
  if (blocks && lambda == 0) together = words ? 60 : 280;
  if (blocks && lambda > 0) together = blocks->kept() ? (words ? 7.3 : 26) : (words ? 20 : 39);
  return 64 + static_cast<double>(points) / together;
}

// A single query may take several times as much before it is left to the brute force, which costs more where it is for
// a few queries alone.
constexpr double most_for_one = 4;

constexpr double infinity = std::numeric_limits<double>::infinity();

// Boxes that leave more than this share of the blocks hardly pay.
constexpr double most_near = 0.7;

SearchWork mean(const std::vector<SearchWork>& works) {
  SearchWork sum;
  for (const SearchWork& work : works) sum += work;
  return sum / static_cast<double>(works.size());
}

}  // namespace

// One batch against one psi.
class NeighbourSearch::Batch {
 public:
  Batch(const NeighbourSearch& search, const Tensor& x, const Tensor& psi, double reach)
      : blocks_(search.blocks_),
        bounds_(*search.sketch_, x, psi, search.lambda_, search.boxes_pay_ ? reach : infinity),
        lambda_(search.lambda_),
        reach_(reach) {
    if (lambda_ == 0) return;
    ByteValues values;
    if (blocks_) {
      products_.emplace(bounds_.target(), bounds_.queries().centred);
      const double error = bounds_.target().scale() / lambda_ * 2 * products_->typical_rounding();
      if (error <= product_error) values = {&*products_, blocks_};
    }
    terms_.emplace(bounds_, values, lambda_, reach_);
  }

  std::int64_t size() const { return bounds_.size(); }
  double near_share() const { return bounds_.near_share(); }
  double most_cost() const { return ot::most_cost(bounds_.target().size(), lambda_, blocks_); }

  std::vector<std::vector<Neighbour>> nearest(const std::vector<std::int64_t>& queries,
                                              std::vector<SearchWork>& work) const {
    return find_nearest(bounds_, blocks_, reach_, most_for_one * most_cost(), queries, size(), work);
  }

  SoftminTerms terms(std::vector<SearchWork>& work) const { return terms_->find(work); }

  /// Every `stride`-th query.
  std::vector<std::int64_t> every(std::int64_t stride) const {
    std::vector<std::int64_t> queries;
    for (std::int64_t i = 0; i < size(); i += stride) queries.push_back(i);
    return queries;
  }

  /// What a query costs, on average, as all bounds tell it at lambda > 0, and at lambda = 0 a few queries.
  double cost() const {
    if (lambda_ > 0) return terms_->expected_work().cost();
    constexpr std::int64_t most_probes = 8;
    std::vector<SearchWork> work;
    nearest(every((size() + most_probes - 1) / most_probes), work);
    return mean(work).cost();
  }

 private:
  ByteBlocks* blocks_;
  BatchBounds bounds_;
  double lambda_, reach_;
  std::optional<ByteProducts> products_;
  std::optional<TermSearch> terms_;
};

void NeighbourSearch::restart() {
  given_up_ = false;
  boxes_pay_ = true;
  if (lambda_ > 0) fitted_ = false;  // at lambda = 0 it changes nothing but the time
}

// The batch that is to be searched; null where that is left to the brute force.
std::unique_ptr<NeighbourSearch::Batch> NeighbourSearch::begin(const Tensor& x, const Tensor& psi, double lambda,
                                                               double reach) {
  if (lambda != lambda_) {
    lambda_ = lambda;
    restart();
  }
  if (given_up_) return nullptr;
  const Target& target = index_.target();
  if (!sketch_) sketch_ = std::make_unique<Sketch>(index_);
  const auto prepare = [&](bool fit) {
    if (fit) {
      sketch_->fit(x, blocks_);
      fitted_ = true;
      least_cost_ = infinity;
      excess_ = 0;
    }
    return std::make_unique<Batch>(*this, x, psi, reach);
  };
  // As with skis to rent or to buy. What a fit costs, as a query's share: measured.
  const double cost_of_fit = static_cast<double>(target.size()) / static_cast<double>(x.dim(0));
  const bool due = !fitted_ || excess_ > cost_of_fit;
  std::unique_ptr<Batch> batch = prepare(due);
  double cost = batch->cost();
  if (cost >= batch->most_cost() && !due) {
    batch = prepare(true);
    cost = batch->cost();
  }
  if (cost >= batch->most_cost()) {
    given_up_ = true;
    return nullptr;
  }
  least_cost_ = std::min(least_cost_, cost);
  excess_ += cost - least_cost_;
  if (batch->near_share() > most_near) boxes_pay_ = false;
  return batch;
}

std::optional<std::vector<std::vector<Neighbour>>> NeighbourSearch::nearest(const Tensor& x, const Tensor& psi,
                                                                            double reach) {
  const auto batch = begin(x, psi, 0, reach);
  if (!batch) return std::nullopt;
  std::vector<SearchWork> work;
  auto neighbours = batch->nearest(batch->every(1), work);
  work_ = mean(work);
  return neighbours;
}

std::optional<SoftminTerms> NeighbourSearch::terms(const Tensor& x, const Tensor& psi, double lambda, double reach) {
  const auto batch = begin(x, psi, lambda, reach);
  if (!batch) return std::nullopt;
  std::vector<SearchWork> work;
  SoftminTerms terms = batch->terms(work);
  // Far out, where double no longer tells u apart, a query may find nothing.
  if (std::ranges::any_of(work, [](const SearchWork& of_query) { return of_query.rows == 0; })) return std::nullopt;
  work_ = mean(work);
  return terms;
}

}  // namespace ot
