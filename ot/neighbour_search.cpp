#include "ot/neighbour_search.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/error.h"
#include "engine/parallel.h"
#include "engine/simd/kernels.h"
#include "ot/batch_bounds.h"
#include "ot/byte_distances.h"
#include "ot/nearest_points.h"
#include "ot/softmin_terms.h"

namespace ot {

using engine::Tensor;

namespace {

// How far terms of a softmin may be off, relative to them, by single values and by those of whole blocks, where many
// terms even out.
constexpr double term_error = 0x1p-19, product_error = 0x1p-14;

// The work of a query, as the values of a share of all points, at which the brute force is as fast: what its part of
// that costs, less what all queries cost anyway. In digits (ByteProducts) that is cheap, the more so for lambda = 0,
// where a value is a row from memory; and values of single points that digits don't tell finely enough are dear.
double most_cost(const Target& target, double lambda, const ByteValues& values) {
  const double points = static_cast<double>(target.size());
  const bool bytes = ByteDistances::available(target), words = engine::simd::kernels().digits.bits == 16;
  if (lambda == 0) return 64 + points / (!bytes ? 16 : words ? 60 : 280);
  const bool cheap = values.apart || values.blocks_alone();
  return 64 + points / (!bytes ? 12 : words ? (cheap ? 7.3 : 20) : (cheap ? 26 : 39));
}

// A single query may take several times as much before it is left to the brute force, which costs more where it is for
// a few queries alone.
constexpr double most_for_one = 4;

constexpr const char *directions_name = "search.directions", *policy_name = "search.policy";

constexpr double infinity = std::numeric_limits<double>::infinity();

// Boxes that leave more than this share of the blocks hardly pay, and so many calls do without.
constexpr double most_near = 0.7;
constexpr int rest_of_boxes = 16;

// How many calls are left to the brute force after a failure, and how many times its cost a fit waits, at most.
constexpr int longest_rest = 64, most_patience = 8;

SearchWork mean(const std::vector<SearchWork>& works) {
  SearchWork sum;
  for (const SearchWork& work : works) sum += work;
  return sum / static_cast<double>(works.size());
}

}  // namespace

// One batch against one psi.
class NeighbourSearch::Batch {
 public:
  Batch(NeighbourSearch& search, const Tensor& x, const Tensor& psi, double reach)
      : blocks_(search.blocks()),
        bounds_(search.target_, *search.sketch_, x, psi, search.lambda_, search.without_boxes_ > 0 ? infinity : reach),
        lambda_(search.lambda_),
        reach_(reach) {
    if (lambda_ == 0) return;
    if (blocks_) find_values(search);
    terms_.emplace(bounds_, values_, lambda_, reach_);
  }

  std::int64_t size() const { return bounds_.size(); }
  double near_share() const { return bounds_.near_share(); }
  double most_cost() const { return ot::most_cost(bounds_.target(), lambda_, values_); }

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
  void find_values(NeighbourSearch& search) {
    const double per_term = search.target_.scale() / lambda_;
    products_.emplace(search.target_, bounds_.queries().centred);
    if (per_term * 2 * products_->typical_rounding() <= product_error)
      values_.blocks = &*products_, values_.laid_out = blocks_;
    if (values_.blocks_alone()) return;
    if (search.squared_norms_.empty()) search.squared_norms_ = ByteDistances::squared_norms(search.target_);
    distances_.emplace(search.target_, search.squared_norms_, bounds_.x());
    if (per_term * distances_->typical_error() <= term_error) values_.apart = &*distances_;
  }

  ByteBlocks* blocks_;  // null where points aren't multiplied in digits
  BatchBounds bounds_;
  double lambda_, reach_;
  std::optional<ByteDistances> distances_;
  std::optional<ByteProducts> products_;
  ByteValues values_;  // those of the two that are as fine as the terms of a softmin need
  std::optional<TermSearch> terms_;
};

// Where only the nearest points are looked for, more directions tell them better.
Sketch& NeighbourSearch::sketch() {
  if (!sketch_)
    sketch_ = std::make_unique<Sketch>(target_, lambda_ == 0 ? Sketch::affordable_fitted(target_) : Sketch::few_fitted);
  return *sketch_;
}

// Leaves the next calls to the brute force, and more of them each time.
std::unique_ptr<NeighbourSearch::Batch> NeighbourSearch::rest() {
  rest_ = next_rest_;
  next_rest_ = std::min(longest_rest, 2 * next_rest_);
  return nullptr;
}

// The batch that is to be searched; null where that is left to the brute force.
std::unique_ptr<NeighbourSearch::Batch> NeighbourSearch::begin(const Tensor& x, const Tensor& psi, double lambda,
                                                               double reach) {
  if (lambda != lambda_) lambda_ = lambda, rest_ = 0, next_rest_ = 1, without_boxes_ = 0;
  if (rest_ > 0) {
    --rest_;
    return nullptr;
  }
  // Measured: a query's share of what a fit costs.
  const double fit = static_cast<double>(target_.size()) / static_cast<double>(x.dim(0));
  // As with skis to rent or to buy: a fit is due once the work above the least since the last one has cost as much as
  // it would, or several times as much where the last one spared little.
  const bool due = !sketch().fitted() || excess_ > patience_ * fit;
  std::unique_ptr<Batch> batch;
  double cost = last_cost_;
  if (!due) {
    batch = std::make_unique<Batch>(*this, x, psi, reach);
    cost = batch->cost();
  }
  if (due || cost >= batch->most_cost()) {
    if (spared_ < fit) {
      // A fit that did not last until it paid is not made again at once.
      spared_ = unlimited;
      return rest();
    }
    sketch_->fit(x);
    batch = std::make_unique<Batch>(*this, x, psi, reach);
    const double before = std::exchange(cost, batch->cost());
    patience_ = before - cost > fit / 8 ? 1 : std::min(most_patience, 2 * patience_);
    excess_ = 0;
    spared_ = 0;
    least_cost_ = unlimited;
    if (cost >= batch->most_cost()) return rest();
  }
  last_cost_ = static_cast<real>(cost);
  spared_ += static_cast<real>(batch->most_cost() - cost);
  if (spared_ >= fit) next_rest_ = 1;
  if (without_boxes_ > 0)
    --without_boxes_;
  else if (batch->near_share() > most_near)
    without_boxes_ = rest_of_boxes;
  return batch;
}

void NeighbourSearch::end(const SearchWork& work) {
  work_ = work;
  least_cost_ = std::min(least_cost_, last_cost_);
  excess_ += last_cost_ - least_cost_;
}

std::optional<std::vector<std::vector<Neighbour>>> NeighbourSearch::nearest(const Tensor& x, const Tensor& psi,
                                                                            double reach) {
  const auto batch = begin(x, psi, 0, reach);
  if (!batch) return std::nullopt;
  std::vector<SearchWork> work;
  auto neighbours = batch->nearest(batch->every(1), work);
  const SearchWork of_query = mean(work);
  last_cost_ = static_cast<real>(of_query.cost());
  end(of_query);
  return neighbours;
}

std::optional<SoftminTerms> NeighbourSearch::terms(const Tensor& x, const Tensor& psi, double lambda, double reach) {
  const auto batch = begin(x, psi, lambda, reach);
  if (!batch) return std::nullopt;
  std::vector<SearchWork> work;
  SoftminTerms terms = batch->terms(work);
  // Far out, where double no longer tells u apart, a query may find nothing.
  if (std::ranges::any_of(work, [](const SearchWork& of_query) { return of_query.rows == 0; })) return std::nullopt;
  end(mean(work));
  return terms;
}

NamedTensors NeighbourSearch::state() const {
  if (!sketch_ || !sketch_->fitted()) return {};
  const std::vector<real> policy = {least_cost_,
                                    excess_,
                                    static_cast<real>(patience_),
                                    static_cast<real>(rest_),
                                    static_cast<real>(next_rest_),
                                    static_cast<real>(without_boxes_),
                                    spared_,
                                    last_cost_};
  return {{directions_name, sketch_->fitted_directions()}, {policy_name, Tensor({std::ssize(policy)}, policy)}};
}

void NeighbourSearch::restore(const NamedTensors& state, double lambda) {
  const auto find = [&](const char* name) {
    return std::ranges::find_if(state, [&](const auto& named) { return named.first == name; });
  };
  const auto directions = find(directions_name), policy = find(policy_name);
  if (directions == state.end() || policy == state.end()) return;
  const auto require_shape = [](const auto& named, const engine::Shape& shape) {
    engine::require(named.second.shape() == shape, "tensor ", named.first, " is ", named.second.shape(),
                    ", it should be ", shape);
  };
  lambda_ = lambda;
  const engine::Shape wanted = sketch().fitted_directions().shape(), &saved = directions->second.shape();
  const bool of_another_number = saved.rank() == 2 && saved[0] != wanted[0] && saved[0] <= Sketch::most_fitted;
  if (of_another_number && saved[1] == wanted[1]) return;
  require_shape(*directions, wanted);
  // Older programs saved fewer values.
  const engine::Shape& of_policy = policy->second.shape();
  if (of_policy.rank() != 1 || of_policy[0] < 5 || of_policy[0] > 7) require_shape(*policy, {8});
  sketch_->restore(directions->second);
  std::vector<real> values = {0, 0, 0, 0, 0, 0, unlimited, 0};
  std::ranges::copy(policy->second.values(), values.begin());
  least_cost_ = values[0];
  excess_ = values[1];
  patience_ = whole_number(policy_name, values[2]);
  rest_ = whole_number(policy_name, values[3]);
  next_rest_ = whole_number(policy_name, values[4]);
  without_boxes_ = whole_number(policy_name, values[5]);
  spared_ = values[6];
  last_cost_ = values[7];
}

namespace {
bool searched(const Target& target) {
  return target.searchable() && !target.ground_cost() && target.size() >= NeighbourSearch::fewest_points;
}
}  // namespace

std::span<const std::int64_t> order_of_neighbours(const Target& target) {
  return searched(target) ? std::span<const std::int64_t>(target.search().order()) : std::span<const std::int64_t>();
}

ByteBlocks* blocks_of_neighbours(const Target& target) {
  return searched(target) ? target.search().blocks() : nullptr;
}

}  // namespace ot
