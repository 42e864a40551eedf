#include "ot/dense/winners.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "engine/parallel.h"

namespace ot {

using engine::Tensor;

namespace {
constexpr real not_a_number = std::numeric_limits<real>::quiet_NaN();

/// Of each row the number of the point whose value is the least over all ranks; `own` are those of this one's points.
std::vector<std::int64_t> least_of_ranks(const Target& target, const Tensor& x, const Tensor& psi,
                                         const std::vector<std::int64_t>& own) {
  if (target.ranks().size() == 1) return own;
  const std::span<const double> nu = target.weights();
  bool undefined = false;
  for (std::size_t j = 0; j < nu.size(); ++j) undefined |= nu[j] > 0 && std::isnan(psi.values()[j]);
  std::vector<engine::Cluster::Candidate> best;
  const real* row = x.data();
  for (const std::int64_t j : own) {
    if (undefined)
      best.push_back({.value = not_a_number});
    else if (j < 0 || nu[static_cast<std::size_t>(j)] == 0)  // a search has one even where all weigh nothing
      best.push_back({});
    else
      best.push_back({target.cost(row, j) - psi.data()[j], target.of_rank().first + j});
    row += x.dim(1);
  }
  target.ranks().least(best);
  std::vector<std::int64_t> numbers;
  for (const engine::Cluster::Candidate& candidate : best) numbers.push_back(candidate.index);
  return numbers;
}

/// The share of the queries that each point wins: all of them are told here, by their places, or are another rank's.
Tensor winners_mass(std::int64_t points, std::vector<std::int64_t> places) {
  std::sort(places.begin(), places.end());
  Tensor mass = Tensor::zeros({points});
  for (auto first = std::ranges::lower_bound(places, 0); first != places.end();) {
    const auto last = std::upper_bound(first, places.end(), *first);
    mass.data()[*first] = static_cast<real>(static_cast<double>(last - first) / static_cast<double>(places.size()));
    first = last;
  }
  return mass;
}
}  // namespace

CTransform transform_at(const Target& target, const Tensor& x, const Tensor& psi, std::vector<std::int64_t> winners,
                        Wanted wanted) {
  const std::int64_t batch = x.dim(0), dimension = x.dim(1);
  CTransform result;
  result.winners = least_of_ranks(target, x, psi, winners);
  std::ranges::transform(result.winners, winners.begin(),
                         [&](std::int64_t number) { return target.of_rank().place(number); });
  result.value = Tensor({batch});
  if (wanted.gradient) result.gradient = Tensor(x.shape());
  engine::parallel_for(batch, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t place = winners[static_cast<std::size_t>(i)];
      const real* row = x.data() + i * dimension;
      const real not_here = result.winners[static_cast<std::size_t>(i)] < 0 ? not_a_number : real{0};
      result.value.data()[i] = place < 0 ? not_here : static_cast<real>(target.cost(row, place) - psi.data()[place]);
      if (!wanted.gradient) continue;
      real* gradient = result.gradient.data() + i * dimension;
      if (place < 0)
        std::fill_n(gradient, dimension, not_here);
      else
        target.cost_gradient(row, place, gradient);
    }
  });
  target.ranks().unite(result.value.values());
  if (wanted.gradient) target.ranks().unite(result.gradient.values());
  if (!wanted.mass) return result;
  const bool all = std::ranges::find(result.winners, -1) == result.winners.end();
  result.mass = all ? winners_mass(target.size(), std::move(winners)) : Tensor::full({target.size()}, not_a_number);
  return result;
}

}  // namespace ot
