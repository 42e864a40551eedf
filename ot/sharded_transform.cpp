#include "ot/sharded_transform.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>
#include <span>
#include <utility>

#include "engine/simd/kernels.h"
#include "ot/dense/soft_c_transform.h"

namespace ot {

using engine::Tensor;

namespace {

/// What the shards' values come to: the value, and what share of the responsibilities each shard has.
struct Softmin {
  Softmin(std::span<const double> values, std::span<const double> masses, double lambda) : shares(values.size()) {
    const double least = *std::ranges::min_element(values);
    double sum = 0;
    for (std::size_t s = 0; s < values.size(); ++s)
      sum += shares[s] = masses[s] * std::exp((least - values[s]) / lambda);
    for (double& share : shares) share /= sum;
    value = least - lambda * std::log(sum);
  }

  double value;
  std::vector<double> shares;
};

Tensor rows_of(const Tensor& x, std::int64_t begin, std::int64_t end) {
  Tensor rows({end - begin, x.dim(1)});
  std::copy_n(x.data() + begin * x.dim(1), rows.size(), rows.data());
  return rows;
}

}  // namespace

ShardedTransform::ShardedTransform(const Shards& shards) : shards_(shards) {
  std::vector<double> here;
  for (const Shards::Shard& shard : shards.here()) {
    transforms_.emplace_back(shard.target, shard.index);
    here.push_back(shard.mass);
  }
  const engine::Cluster& ranks = shards.target().ranks();
  masses_ = ranks.gather(std::span<const double>(here));
  std::size_t before = 0;
  ranks.in_turn(before, [&] { first_here_ = std::exchange(before, before + here.size()); });
}

CTransform ShardedTransform::operator()(const Tensor& x, const Tensor& psi, double lambda, Wanted wanted) {
  const Target& target = shards_.target();
  const std::int64_t batch = x.dim(0), d = x.dim(1), together = block_of_queries(batch, target.total());
  CTransform result{Tensor({batch}),
                    wanted.gradient ? Tensor::zeros(x.shape()) : Tensor(),
                    wanted.mass ? Tensor::zeros({target.size()}) : Tensor(),
                    {}};
  for (std::int64_t begin = 0; begin < batch; begin += together) {
    const std::int64_t end = std::min(batch, begin + together);
    transform_rows(rows_of(x, begin, end), psi, lambda, static_cast<double>(end - begin) / static_cast<double>(batch),
                   result.value.data() + begin, wanted.gradient ? result.gradient.data() + begin * d : nullptr,
                   wanted.mass ? result.mass.data() : nullptr);
  }
  return result;
}

void ShardedTransform::transform_rows(const Tensor& x, const Tensor& psi, double lambda, double share_of_batch,
                                      real* values, real* gradient, real* mass) {
  const auto rows = static_cast<std::size_t>(x.dim(0));
  const engine::Cluster& ranks = shards_.target().ranks();
  std::vector<std::unique_ptr<SoftTransform>> here;
  std::vector<double> values_here;
  for (std::size_t s = 0; s < transforms_.size(); ++s) {
    const Shards::Shard& shard = shards_.here()[s];
    Tensor its_psi({shard.target.size()});
    std::copy_n(psi.data() + shard.first, its_psi.size(), its_psi.data());
    here.push_back(transforms_[s].soft(x, its_psi, lambda));
    std::ranges::copy(here.back()->values(), std::back_inserter(values_here));
  }
  const std::vector<double> of_shards = ranks.gather(std::span<const double>(values_here));

  std::vector<double> shares(values_here.size()), of_row(masses_.size());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t s = 0; s < masses_.size(); ++s) of_row[s] = of_shards[s * rows + i];
    const Softmin softmin(of_row, masses_, lambda);
    values[i] = static_cast<real>(softmin.value);
    for (std::size_t s = 0; s < here.size(); ++s) shares[s * rows + i] = softmin.shares[first_here_ + s];
  }

  std::vector<Tensor> gradients;
  for (std::size_t s = 0; s < here.size(); ++s) {
    const CTransform rest = std::exchange(here[s], nullptr)
                                ->distribute(std::span(shares).subspan(s * rows, rows),
                                             {.gradient = gradient != nullptr, .mass = mass != nullptr});
    if (gradient && ranks.first())  // no rank's come before its own: they need not be held
      engine::simd::kernels().axpy(x.size(), 1, rest.gradient.data(), gradient);
    else if (gradient)
      gradients.push_back(rest.gradient);
    if (mass)
      engine::simd::kernels().axpy(rest.mass.size(), static_cast<real>(share_of_batch), rest.mass.data(),
                                   mass + shards_.here()[s].first);
  }
  if (!gradient) return;
  const std::span<real> sum(gradient, static_cast<std::size_t>(x.size()));
  ranks.in_turn(sum, [&] {
    for (const Tensor& of_shard : gradients)
      engine::simd::kernels().axpy(of_shard.size(), 1, of_shard.data(), sum.data());
  });
}

void ShardedTransform::restart() {
  for (Transformer& transform : transforms_) transform.restart();
}

Transformer::Counts ShardedTransform::ways() const {
  Transformer::Counts all;
  for (const Transformer& transform : transforms_) all += transform.ways();
  return all;
}

}  // namespace ot
