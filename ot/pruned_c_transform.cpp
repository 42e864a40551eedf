#include "ot/pruned_c_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/parallel.h"
#include "engine/simd/kernels.h"
#include "ot/brute_c_transform.h"
#include "ot/neighbour_search.h"
#include "ot/softmin_terms.h"
#include "ot/winners.h"

namespace ot {

using engine::Tensor;

namespace {

// Queries that are searched together: their bounds and terms are held at a time.
constexpr std::int64_t most_together = 512;

// Only if all values are finite is their sum; one that overflows leaves the batch to the brute force.
bool finite(const Tensor& tensor) {
  return std::isfinite(engine::simd::kernels().sum(tensor.size(), tensor.data()));
}

Tensor rows_of(const Tensor& x, const std::vector<std::int64_t>& rows) {
  const std::int64_t d = x.dim(1);
  Tensor picked({static_cast<std::int64_t>(rows.size()), d});
  for (std::size_t r = 0; r < rows.size(); ++r)
    std::copy_n(x.data() + rows[r] * d, d, picked.data() + static_cast<std::int64_t>(r) * d);
  return picked;
}

std::int64_t winner_of(const std::vector<std::int64_t>& order, const std::vector<Neighbour>& neighbours) {
  const auto point = [&](const Neighbour& neighbour) { return order[static_cast<std::size_t>(neighbour.place)]; };
  return point(*std::min_element(neighbours.begin(), neighbours.end(), [&](const Neighbour& a, const Neighbour& b) {
    return a.value < b.value || (a.value == b.value && point(a) < point(b));
  }));
}

// The softmin over the terms of query q, which become its responsibilities in place of their excess.
double soften(SoftminTerms& terms, std::size_t q, std::int64_t points, double lambda) {
  const auto& kernels = engine::simd::kernels();
  const std::int64_t count = terms.begin[q + 1] - terms.begin[q];
  real* const term = terms.excess.data() + terms.begin[q];
  const real least = *std::min_element(term, term + count);
  kernels.standardise(count, least, static_cast<real>(-1 / lambda), 0, term, term);
  kernels.exp(count, term, term);
  constexpr std::int64_t piece = 1024;  // few enough for a sum in real to keep its digits
  double sum = 0;
  for (std::int64_t t = 0; t < count; t += piece) sum += kernels.sum(std::min(piece, count - t), term + t);
  kernels.scale(count, static_cast<real>(1 / sum), term, term);
  return terms.origin[q] + least - lambda * std::log(sum / static_cast<double>(points));
}

// 2 scale (x - sum_j p_j y_j), but for the least p_j, which have less than 2^(4 - m) of the mass, for the m digits of
// real.
Tensor gradient_of(const Target& target, const Tensor& x, const SoftminTerms& responsibilities) {
  const std::vector<std::int64_t>& order = target.search().order();
  const std::int64_t batch = x.dim(0), d = x.dim(1);
  // One stretch of places and one query after the other: what all queries need of a stretch is then in the cache.
  constexpr std::int64_t stretch = 128;
  constexpr int most_summed = 64;  // points, before their sum is added to the others: fewer roundings than one by one
  const auto& kernels = engine::simd::kernels();
  const double left_out = std::ldexp(1.0, 4 - std::numeric_limits<real>::digits);
  const std::int32_t* const places = responsibilities.places();
  const real* const p = responsibilities.excess.data();
  Tensor gradient = x.clone();
  const std::int64_t grain = (batch + engine::threads() - 1) / engine::threads();
  engine::parallel_for(batch, grain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> next(responsibilities.begin.begin() + begin, responsibilities.begin.begin() + end);
    Tensor sums = Tensor::zeros({end - begin, d});
    std::vector<int> summed(next.size());
    for (std::int64_t until = stretch; until < target.size() + stretch; until += stretch)
      for (std::int64_t i = begin; i < end; ++i) {
        std::int64_t& t = next[static_cast<std::size_t>(i - begin)];
        const std::int64_t first = responsibilities.begin[static_cast<std::size_t>(i)];
        const std::int64_t last = responsibilities.begin[static_cast<std::size_t>(i) + 1];
        const auto least = static_cast<real>(left_out / static_cast<double>(last - first));
        real* const sum = sums.data() + (i - begin) * d;
        int& count = summed[static_cast<std::size_t>(i - begin)];
        for (; t < last && places[t] < until; ++t) {
          if (p[t] < least) continue;
          target.add_point(order[static_cast<std::size_t>(places[t])], p[t], sum);
          ++count;
        }
        if (count < most_summed && until < target.size()) continue;
        kernels.axpy(d, -1, sum, gradient.data() + i * d);
        std::fill_n(sum, d, real{0});
        count = 0;
      }
    real* const rows = gradient.data() + begin * d;
    kernels.scale((end - begin) * d, static_cast<real>(2 * target.scale()), rows, rows);
  });
  return gradient;
}

// The means of the responsibilities over the queries.
Tensor mass_of(const std::vector<std::int64_t>& order, const SoftminTerms& responsibilities) {
  const std::int64_t points = std::ssize(order);
  Tensor mass({points});
  const auto share = static_cast<real>(1 / static_cast<double>(responsibilities.queries()));
  constexpr std::int64_t grain = 4096;
  engine::parallel_for(points, grain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<real> part(static_cast<std::size_t>(end - begin));
    const std::int32_t* const places = responsibilities.places();
    for (std::size_t q = 0; q < responsibilities.origin.size(); ++q) {
      const std::int32_t* const last = places + responsibilities.begin[q + 1];
      const std::int32_t* place = std::lower_bound(places + responsibilities.begin[q], last, begin);
      for (; place < last && *place < end; ++place)
        part[static_cast<std::size_t>(*place - begin)] += responsibilities.excess.data()[place - places];
    }
    for (std::int64_t place = begin; place < end; ++place)
      mass.data()[order[static_cast<std::size_t>(place)]] = share * part[static_cast<std::size_t>(place - begin)];
  });
  return mass;
}

CTransform soft_transform(const Target& target, const Tensor& x, SoftminTerms terms, double lambda, Wanted wanted) {
  const std::int64_t batch = x.dim(0);
  CTransform result;
  result.value = Tensor({batch});
  engine::parallel_for(batch, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      result.value.data()[i] = static_cast<real>(soften(terms, static_cast<std::size_t>(i), target.size(), lambda));
  });
  if (wanted.gradient) result.gradient = gradient_of(target, x, terms);
  if (wanted.mass) result.mass = mass_of(target.search().order(), terms);
  return result;
}

std::optional<CTransform> transform_together(const Target& target, const Tensor& x, const Tensor& psi, double lambda,
                                             Wanted wanted) {
  NeighbourSearch& search = target.search();
  if (lambda > 0) {
    const double reach =
        lambda * (std::numeric_limits<real>::digits * std::log(2.0) + std::log(2 * static_cast<double>(target.size())));
    auto terms = search.terms(x, psi, lambda, reach);
    if (!terms) return std::nullopt;
    return soft_transform(target, x, *std::move(terms), lambda, wanted);
  }
  const auto neighbours = search.nearest(x, psi, 0);
  if (!neighbours) return std::nullopt;

  std::vector<std::int64_t> winners(neighbours->size()), open;
  for (std::size_t i = 0; i < winners.size(); ++i) {
    if ((*neighbours)[i].empty())
      open.push_back(static_cast<std::int64_t>(i));
    else
      winners[i] = winner_of(search.order(), (*neighbours)[i]);
  }
  if (!open.empty()) {
    const CTransform found = brute_c_transform(target, rows_of(x, open), psi, 0, {});
    for (std::size_t r = 0; r < open.size(); ++r) winners[static_cast<std::size_t>(open[r])] = found.winners[r];
  }
  return transform_at(target, x, psi, std::move(winners), wanted);
}

}  // namespace

std::optional<CTransform> pruned_c_transform(const Target& target, const Tensor& x, const Tensor& psi, double lambda,
                                             Wanted wanted) {
  if (!target.searchable() || target.size() < NeighbourSearch::fewest_points || !finite(x) || !finite(psi))
    return std::nullopt;
  const std::int64_t batch = x.dim(0), d = x.dim(1);
  if (batch <= most_together) return transform_together(target, x, psi, lambda, wanted);

  CTransform result{Tensor({batch}),
                    wanted.gradient ? Tensor({batch, d}) : Tensor(),
                    wanted.mass ? Tensor::zeros({target.size()}) : Tensor(),
                    {}};
  for (std::int64_t begin = 0; begin < batch; begin += most_together) {
    const std::int64_t count = std::min(most_together, batch - begin);
    Tensor some({count, d});
    std::copy_n(x.data() + begin * d, count * d, some.data());
    std::optional<CTransform> part = transform_together(target, some, psi, lambda, wanted);
    if (!part && begin == 0) return std::nullopt;
    if (!part) part = brute_c_transform(target, some, psi, lambda, wanted);
    std::copy_n(part->value.data(), count, result.value.data() + begin);
    if (wanted.gradient) std::copy_n(part->gradient.data(), count * d, result.gradient.data() + begin * d);
    if (wanted.mass)
      engine::simd::kernels().axpy(target.size(), static_cast<real>(count) / static_cast<real>(batch),
                                   part->mass.data(), result.mass.data());
    result.winners.insert(result.winners.end(), part->winners.begin(), part->winners.end());
  }
  return result;
}

}  // namespace ot
