#include "ot/search/neighbour_search.h"

#include <utility>

#include "engine/simd/kernels.h"
#include "ot/search/batch_bounds.h"
#include "ot/search/nearest_points.h"

namespace ot {

using engine::Tensor;
using engine::simd::kernels;

namespace {

// How far the rounding of products may put terms of a softmin off, relative to them, where many terms even out.
constexpr double most_rounding = 0x1p-14;

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
      : blocks_(search.blocks_), bounds_(*search.sketch_, x, psi, search.lambda_, reach), lambda_(search.lambda_) {
    if (lambda_ == 0) {
      nearest_.emplace(bounds_, blocks_, reach);
      return;
    }
    ByteValues values;
    if (blocks_) {
      products_.emplace(bounds_.target(), bounds_.queries().centred);
      digits_ = products_->digits_of_terms(lambda_);
      const double rounding = bounds_.target().scale() / lambda_ * 2 * products_->typical_rounding();
      if (rounding <= most_rounding) values = {&*products_, blocks_, digits_};
    }
    terms_.emplace(bounds_, values, lambda_, reach);
  }

  std::vector<std::vector<Neighbour>> nearest(std::vector<SearchWork>& work) const {
    return nearest_->find(of_all(true), work);
  }
  SoftminTerms terms(std::vector<SearchWork>& work) const { return terms_->find(work); }

  /// What a query is expected to take, on average, and what it takes by the brute force.
  double expected() const {
    const SearchWork work = terms_ ? terms_->expected_work() : nearest_->expected_work();
    if (blocks_) return work.cost();
    const double near = bounds_.near_share() * static_cast<double>(bounds_.target().size());
    return work_of_search_in_real(work, bounds_.target().dimension(), bounds_.sketch().dimension(), near);
  }
  double of_all(bool alone = false) const {
    const Target& target = bounds_.target();
    return blocks_ ? work_of_all(kernels().digits, digits_, target.size(), lambda_, alone)
                   : work_of_all_in_real(target.dimension(), target.size(), lambda_);
  }

 private:
  ByteBlocks* blocks_;
  BatchBounds bounds_;
  double lambda_;
  std::optional<ByteProducts> products_;  // for lambda > 0
  int digits_ = 1;                        // of the brute force's products
  std::optional<NearestSearch> nearest_;  // for lambda = 0
  std::optional<TermSearch> terms_;       // for lambda > 0
};

void NeighbourSearch::restart() {
  policy_.restart(lambda_ == 0);  // where a fit changes nothing but the time
}

// The batch that is to be searched; null where that is left to the brute force.
std::unique_ptr<NeighbourSearch::Batch> NeighbourSearch::begin(const Tensor& x, const Tensor& psi, double lambda,
                                                               double reach) {
  if (lambda != lambda_) {
    lambda_ = lambda;
    restart();
  }
  if (policy_.given_up()) return nullptr;
  if (!sketch_) sketch_ = std::make_unique<Sketch>(index_);
  // A fit takes about a value for each point, which the queries share.
  const double work_of_fit = static_cast<double>(index_.target().size()) / static_cast<double>(x.dim(0));
  std::unique_ptr<Batch> batch;
  auto step = policy_.needs_fit() ? SearchPolicy::Step::fit : SearchPolicy::Step::search;
  do {
    if (step == SearchPolicy::Step::fit) {
      sketch_->fit(x, blocks_);
      policy_.fitted();
    }
    batch = std::make_unique<Batch>(*this, x, psi, reach);
    step = policy_.next(batch->expected(), batch->of_all(), work_of_fit);
  } while (step == SearchPolicy::Step::fit);
  return step == SearchPolicy::Step::search ? std::move(batch) : nullptr;
}

std::optional<std::vector<std::vector<Neighbour>>> NeighbourSearch::nearest(const Tensor& x, const Tensor& psi,
                                                                            double reach) {
  const auto batch = begin(x, psi, 0, reach);
  if (!batch) return std::nullopt;
  std::vector<SearchWork> work;
  auto neighbours = batch->nearest(work);
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
