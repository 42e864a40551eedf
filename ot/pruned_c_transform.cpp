#include "ot/pruned_c_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"
#include "ot/brute_c_transform.h"
#include "ot/neighbour_search.h"
#include "ot/winners.h"

namespace ot {

using engine::Tensor;

namespace {

using Neighbours = std::vector<std::vector<Neighbour>>;

// Fewer points than this are multiplied out as fast as they are searched.
constexpr std::int64_t fewest_points = 2048;

bool finite(const Tensor& tensor) {
  return std::all_of(tensor.values().begin(), tensor.values().end(), [](real value) { return std::isfinite(value); });
}

Tensor rows_of(const Tensor& x, const std::vector<std::int64_t>& rows) {
  const std::int64_t d = x.dim(1);
  Tensor picked({static_cast<std::int64_t>(rows.size()), d});
  for (std::size_t r = 0; r < rows.size(); ++r)
    std::copy_n(x.data() + rows[r] * d, d, picked.data() + static_cast<std::int64_t>(r) * d);
  return picked;
}

std::int64_t winner_of(const std::vector<Neighbour>& neighbours) {
  return std::min_element(neighbours.begin(), neighbours.end(),
                          [](const Neighbour& a, const Neighbour& b) {
                            return a.value < b.value || (a.value == b.value && a.index < b.index);
                          })
      ->index;
}

// The softmin over the neighbours, which are given their responsibilities in place of their values.
double soften(std::vector<Neighbour>& neighbours, std::int64_t points, double lambda) {
  double least = neighbours.front().value, sum = 0;
  for (const Neighbour& neighbour : neighbours) least = std::min(least, neighbour.value);
  std::vector<real> terms(neighbours.size());
  for (std::size_t n = 0; n < terms.size(); ++n) terms[n] = static_cast<real>((least - neighbours[n].value) / lambda);
  engine::simd::kernels().exp(static_cast<std::int64_t>(terms.size()), terms.data(), terms.data());
  for (const real term : terms) sum += term;
  for (std::size_t n = 0; n < terms.size(); ++n) neighbours[n].value = terms[n] / sum;
  return least - lambda * std::log(sum / static_cast<double>(points));
}

// Calls visit(i, neighbour) for the neighbours of queries begin..end-1 that lie in a stretch of points, one stretch and
// one query after the other: what all queries need of a stretch is then in the cache.
template <class Visit>
void for_each_by_stretch(std::int64_t points, std::int64_t stretch, const Neighbours& neighbours, std::int64_t begin,
                         std::int64_t end, const Visit& visit) {
  std::vector<std::size_t> next(static_cast<std::size_t>(end - begin));
  for (std::int64_t until = stretch; until < points + stretch; until += stretch)
    for (std::int64_t i = begin; i < end; ++i) {
      const auto& near = neighbours[static_cast<std::size_t>(i)];
      std::size_t& n = next[static_cast<std::size_t>(i - begin)];
      for (; n < near.size() && near[n].index < until; ++n) visit(i, near[n]);
    }
}

// 2 scale (x - sum_j p_j y_j)
Tensor gradient_of(const Target& target, const Tensor& x, const Neighbours& responsibilities) {
  const std::int64_t batch = x.dim(0), d = x.dim(1);
  constexpr std::int64_t stretch = 128;
  Tensor gradient = x.clone();
  const std::int64_t grain = (batch + engine::threads() - 1) / engine::threads();
  engine::parallel_for(batch, grain, [&](std::int64_t begin, std::int64_t end) {
    for_each_by_stretch(
        target.size(), stretch, responsibilities, begin, end, [&](std::int64_t i, const Neighbour& neighbour) {
          target.add_point(neighbour.index, -static_cast<real>(neighbour.value), gradient.data() + i * d);
        });
    real* const rows = gradient.data() + begin * d;
    engine::simd::kernels().scale((end - begin) * d, static_cast<real>(2 * target.scale()), rows, rows);
  });
  return gradient;
}

// The means of the responsibilities over the queries.
Tensor mass_of(std::int64_t points, const Neighbours& responsibilities) {
  Tensor mass = Tensor::zeros({points});
  const double share = 1 / static_cast<double>(responsibilities.size());
  constexpr std::int64_t grain = 8192;
  engine::parallel_for(points, grain, [&](std::int64_t begin, std::int64_t end) {
    for (const auto& near : responsibilities) {
      const auto first = std::lower_bound(near.begin(), near.end(), begin,
                                          [](const Neighbour& n, std::int64_t index) { return n.index < index; });
      for (auto n = first; n != near.end() && n->index < end; ++n)
        mass.data()[n->index] += static_cast<real>(share * n->value);
    }
  });
  return mass;
}

CTransform soft_transform(const Target& target, const Tensor& x, Neighbours& neighbours, double lambda, Wanted wanted) {
  const std::int64_t batch = x.dim(0);
  CTransform result;
  result.value = Tensor({batch});
  engine::parallel_for(batch, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      result.value.data()[i] =
          static_cast<real>(soften(neighbours[static_cast<std::size_t>(i)], target.size(), lambda));
    }
  });
  if (wanted.gradient) result.gradient = gradient_of(target, x, neighbours);
  if (wanted.mass) result.mass = mass_of(target.size(), neighbours);
  return result;
}

}  // namespace

std::optional<CTransform> pruned_c_transform(const Target& target, const Tensor& x, const Tensor& psi, double lambda,
                                             Wanted wanted) {
  if (!target.searchable() || target.size() < fewest_points || !finite(x) || !finite(psi)) return std::nullopt;
  const double reach =
      lambda * (std::numeric_limits<real>::digits * std::log(2.0) + std::log(2 * static_cast<double>(target.size())));
  auto neighbours = target.search().find(x, psi, lambda, reach);
  if (!neighbours) return std::nullopt;
  if (lambda > 0) return soft_transform(target, x, *neighbours, lambda, wanted);

  std::vector<std::int64_t> winners(neighbours->size()), open;
  for (std::size_t i = 0; i < winners.size(); ++i) {
    if ((*neighbours)[i].empty())
      open.push_back(static_cast<std::int64_t>(i));
    else
      winners[i] = winner_of((*neighbours)[i]);
  }
  if (!open.empty()) {
    const CTransform found = brute_c_transform(target, rows_of(x, open), psi, 0, {});
    for (std::size_t r = 0; r < open.size(); ++r) winners[static_cast<std::size_t>(open[r])] = found.winners[r];
  }
  return transform_at(target, x, psi, std::move(winners), wanted);
}

}  // namespace ot
