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

// The softmin over the neighbours, which are put in the order of their indices and given their responsibilities in
// place of their values.
double soften(std::vector<Neighbour>& neighbours, std::int64_t points, double lambda) {
  std::sort(neighbours.begin(), neighbours.end(),
            [](const Neighbour& a, const Neighbour& b) { return a.index < b.index; });
  double least = neighbours.front().value, sum = 0;
  for (const Neighbour& neighbour : neighbours) least = std::min(least, neighbour.value);
  for (Neighbour& neighbour : neighbours) {
    neighbour.value = std::exp((least - neighbour.value) / lambda);
    sum += neighbour.value;
  }
  for (Neighbour& neighbour : neighbours) neighbour.value /= sum;
  return least - lambda * std::log(sum / static_cast<double>(points));
}

// 2 scale (x - sum_j p_j y_j)
void write_gradient(const Target& target, const real* x, const std::vector<Neighbour>& responsibilities,
                    real* gradient) {
  const std::int64_t d = target.dimension();
  std::copy_n(x, d, gradient);
  for (const Neighbour& neighbour : responsibilities)
    target.add_point(neighbour.index, -static_cast<real>(neighbour.value), gradient);
  engine::simd::kernels().scale(d, static_cast<real>(2 * target.scale()), gradient, gradient);
}

CTransform soft_transform(const Target& target, const Tensor& x, Neighbours& neighbours, double lambda, Wanted wanted) {
  const std::int64_t batch = x.dim(0), d = x.dim(1);
  CTransform result;
  result.value = Tensor({batch});
  if (wanted.gradient) result.gradient = Tensor(x.shape());
  engine::parallel_for(batch, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      auto& near = neighbours[static_cast<std::size_t>(i)];
      if (near.empty()) continue;
      result.value.data()[i] = static_cast<real>(soften(near, target.size(), lambda));
      if (wanted.gradient) write_gradient(target, x.data() + i * d, near, result.gradient.data() + i * d);
    }
  });
  if (!wanted.mass) return result;
  result.mass = Tensor::zeros({target.size()});
  for (const auto& near : neighbours)
    for (const Neighbour& neighbour : near)
      result.mass.data()[neighbour.index] += static_cast<real>(neighbour.value / static_cast<double>(batch));
  return result;
}

// Fills in the rows whose search was given up, by brute force.
void complete(const Target& target, const Tensor& x, const Tensor& psi, double lambda,
              const std::vector<std::int64_t>& open, CTransform& result) {
  const std::int64_t d = x.dim(1);
  const CTransform found =
      brute_c_transform(target, rows_of(x, open), psi, lambda, {result.gradient.defined(), result.mass.defined()});
  for (std::size_t r = 0; r < open.size(); ++r) {
    const auto row = static_cast<std::int64_t>(r);
    result.value.data()[open[r]] = found.value.data()[row];
    if (result.gradient.defined())
      std::copy_n(found.gradient.data() + row * d, d, result.gradient.data() + open[r] * d);
  }
  if (result.mass.defined())
    engine::simd::kernels().axpy(target.size(), static_cast<real>(open.size()) / static_cast<real>(x.dim(0)),
                                 found.mass.data(), result.mass.data());
}

}  // namespace

std::optional<CTransform> pruned_c_transform(const Target& target, const Tensor& x, const Tensor& psi, double lambda,
                                             Wanted wanted) {
  if (!target.searchable() || target.size() < fewest_points || !finite(x) || !finite(psi)) return std::nullopt;
  const double reach =
      lambda * (std::numeric_limits<real>::digits * std::log(2.0) + std::log(static_cast<double>(target.size())));
  auto neighbours = target.search().find(x, psi, lambda, reach);
  if (!neighbours) return std::nullopt;
  std::vector<std::int64_t> open;
  for (std::size_t i = 0; i < neighbours->size(); ++i)
    if ((*neighbours)[i].empty()) open.push_back(static_cast<std::int64_t>(i));

  if (lambda > 0) {
    CTransform result = soft_transform(target, x, *neighbours, lambda, wanted);
    if (!open.empty()) complete(target, x, psi, lambda, open, result);
    return result;
  }
  std::vector<std::int64_t> winners(neighbours->size());
  for (std::size_t i = 0; i < winners.size(); ++i)
    if (!(*neighbours)[i].empty()) winners[i] = winner_of((*neighbours)[i]);
  if (!open.empty()) {
    const CTransform found = brute_c_transform(target, rows_of(x, open), psi, 0, {});
    for (std::size_t r = 0; r < open.size(); ++r) winners[static_cast<std::size_t>(open[r])] = found.winners[r];
  }
  return transform_at(target, x, psi, std::move(winners), wanted);
}

}  // namespace ot
