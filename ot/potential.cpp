#include "ot/potential.h"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/ops/shape.h"
#include "engine/parallel.h"
#include "engine/pool.h"
#include "engine/product.h"
#include "engine/simd/kernels.h"

namespace ot {

using engine::Tensor;
using engine::Var;

namespace {

constexpr std::int64_t points_at_once = 4096;

std::unique_ptr<engine::Bf16Products> rounded_products(bool bf16) {
  return bf16 ? std::make_unique<engine::Bf16Products>() : nullptr;
}

/// The places of a target's points, in an order where those that are like each other stand together if there is one:
/// the zeros that they share spare work (engine::CompactMatrix). Their values are those from `first` on.
class Places {
 public:
  Places(const Target& target, std::span<const std::int64_t> order, std::int64_t first)
      : target_(target), order_(order), first_(first) {}

  /// The points at places begin..end-1, [end - begin, d].
  Tensor rows(std::int64_t begin, std::int64_t end) const {
    const std::int64_t d = target_.dimension();
    Tensor points({end - begin, d});
    constexpr std::int64_t grain = 64;
    engine::parallel_for(end - begin, grain, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t p = first; p < last; ++p) {
        const std::int64_t j = point(begin + p);
        target_.rows(j, j + 1, points.data() + p * d);
      }
    });
    return points;
  }
  /// Values at the places from `begin` on, from and to those of all points.
  Tensor gather(const Tensor& values, std::int64_t begin, std::int64_t end) const {
    Tensor at_places({end - begin});
    for (std::int64_t p = begin; p < end; ++p) at_places.data()[p - begin] = values.data()[first_ + point(p)];
    return at_places;
  }
  void scatter(const Tensor& at_places, std::int64_t begin, Tensor& values) const {
    for (std::int64_t p = 0; p < at_places.size(); ++p) values.data()[first_ + point(begin + p)] = at_places.data()[p];
  }

 private:
  std::int64_t point(std::int64_t place) const {
    return order_.empty() ? place : order_[static_cast<std::size_t>(place)];
  }

  const Target& target_;
  std::span<const std::int64_t> order_;
  std::int64_t first_;
};

constexpr auto places_of = [](const auto& measures, const auto& part) {
  const auto& measure = measures.each[part.measure];
  return Places(measure.target, measure.order, measure.first);
};

/// A tape that watches the parameters, and the sum of the gradients that were taken on it and others.
class Recording {
 public:
  Recording(std::span<Var* const> parameters, bool bf16) : bf16_(bf16) {
    for (Var* parameter : parameters) {
      tape_.watch(*parameter);
      watched_.push_back(*parameter);
    }
  }

  /// Adds the gradients of the one-element `output` to `sums`, which may be empty.
  void add_gradients(const Var& output, std::vector<Var>& sums) {
    const auto rounding = rounded_products(bf16_);
    std::vector<Var> gradients = tape_.gradient(output, watched_);
    if (sums.empty()) {
      for (const Var& gradient : gradients) sums.emplace_back(gradient.value().clone());
      return;
    }
    for (std::size_t p = 0; p < gradients.size(); ++p)
      engine::simd::kernels().axpy(gradients[p].size(), 1, gradients[p].value().data(), sums[p].value().data());
  }

 private:
  bool bf16_;
  engine::Tape tape_;
  std::vector<Var> watched_;
};

}  // namespace

std::vector<Var> Potential::pull_back(const GradientInValues& gradient, const Subset& subset) {
  const std::vector<PartOfGradient> parts_of_all = parts(gradient, subset);
  std::vector<Var> all;
  const std::vector<Var*> parameters_of_all = parameters();
  for (std::size_t p = 0; p < parts_of_all.size(); ++p) {
    const PartOfGradient& part = parts_of_all[p];
    Tensor whole = Tensor::zeros(parameters_of_all[p]->shape());
    for (std::size_t e = 0; e < part.elements.size(); ++e) whole.data()[part.elements[e]] = part.gradient.data()[e];
    all.emplace_back(std::move(whole));
  }
  return all;
}

std::vector<PartOfGradient> VectorPotential::parts(const GradientInValues& gradient, const Subset& subset) {
  return {{subset.points, gradient(values(subset))}};
}

NetworkPotential::NetworkPotential(Measures all, std::function<Var(const Var&)> function, std::vector<Var*> parameters,
                                   const Options& options)
    : all_(std::move(all)), function_(std::move(function)), parameters_(std::move(parameters)), options_(options) {
  engine::require(!parameters_.empty(), "[potential] a network must have parameters");
  engine::require(!options.bf16 || engine::has_bf16_products(), "[potential] bf16 needs a CPU with AVX-512 BF16");
}

NetworkPotential::NetworkPotential(const PointIndex& index, std::function<Var(const Var&)> function,
                                   std::vector<Var*> parameters, const Options& options)
    : NetworkPotential(Measures{index.target().size(), {{index.target(), index.order(), 0}}}, std::move(function),
                       std::move(parameters), options) {}

NetworkPotential::NetworkPotential(const Shards& shards, std::function<Var(const Var&)> function,
                                   std::vector<Var*> parameters, const Options& options)
    : NetworkPotential(measures_of(shards), std::move(function), std::move(parameters), options) {}

NetworkPotential::Measures NetworkPotential::measures_of(const Shards& shards) {
  Measures all{shards.target().size(), {}, shards.target().ranks()};
  for (const Shards::Shard& shard : shards.here())
    all.each.push_back({shard.target, shard.index->order(), shard.first});
  return all;
}

std::vector<NetworkPotential::Part> NetworkPotential::parts_of(const Measures& measures) {
  std::vector<Part> parts;
  for (std::size_t m = 0; m < measures.each.size(); ++m) {
    const std::int64_t points = measures.each[m].target.size();
    for (std::int64_t begin = 0; begin < points; begin += points_at_once)
      parts.push_back({m, begin, std::min(points, begin + points_at_once)});
  }
  return parts;
}

Var NetworkPotential::evaluate(const Measures& measures, Part part) const {
  const std::int64_t count = part.end - part.begin;
  const Var values = [&] {
    const auto rounding = rounded_products(options_.bf16);
    return function_(places_of(measures, part).rows(part.begin, part.end));
  }();
  engine::require(values.size() == count,
                  "[potential] a network must return one value for each point: ", values.shape(), " for ", count,
                  " points");
  return engine::reshape(values, {count});
}

void NetworkPotential::evaluate(const Measures& measures, std::span<const Part> parts, Tensor& psi) const {
  const engine::NoGrad no_grad;
  for (const Part& part : parts) places_of(measures, part).scatter(evaluate(measures, part).value(), part.begin, psi);
}

Tensor NetworkPotential::values(const Measures& measures) const {
  Tensor psi = Tensor::zeros({measures.points});  // where shards weigh nothing it stays so
  evaluate(measures, parts_of(measures), psi);
  return psi;
}

std::vector<Var> NetworkPotential::pull_back(const GradientInValues& gradient_in, const Measures& measures) {
  const std::vector<Part> all_parts = parts_of(measures);
  const std::span<const Part> parts(all_parts);
  std::vector<std::vector<Var>> sums(measures.each.size());
  Tensor gradient;
  // sum_j psi_j gradient_j over a part of the points has the part's share of the gradient.
  const auto add_share = [&](Recording& recording, const Part& part, const Var& psi) {
    const Tensor of_part = places_of(measures, part).gather(gradient, part.begin, part.end);
    recording.add_gradients(engine::sum(engine::mul(psi, of_part)), sums[part.measure]);
  };
  std::size_t kept_parts = 0;
  {
    Recording recording(parameters_, options_.bf16);
    std::vector<Var> kept;  // psi on the first parts, on the tape
    Tensor psi = Tensor::zeros({measures.points});
    const std::int64_t before = engine::pool_statistics().used_bytes;
    const auto room = [&] {
      const std::int64_t used = engine::pool_statistics().used_bytes - before;
      return kept.empty() || used + used / static_cast<std::int64_t>(kept.size()) <= options_.memory;
    };
    for (; kept.size() < parts.size() && room();) {
      const Part& part = parts[kept.size()];
      kept.push_back(evaluate(measures, part));
      places_of(measures, part).scatter(kept.back().value(), part.begin, psi);
    }
    evaluate(measures, parts.subspan(kept.size()), psi);
    {
      const engine::NoGrad no_grad;
      gradient = gradient_in(psi);
    }
    engine::require(gradient.shape() == psi.shape(),
                    "[potential] a gradient must have one value for each point of the target: ", gradient.shape(),
                    " against ", measures.points);
    for (; kept_parts < kept.size(); ++kept_parts) add_share(recording, parts[kept_parts], kept[kept_parts]);
  }
  for (const Part& part : parts.subspan(kept_parts)) {
    Recording recording(parameters_, options_.bf16);
    add_share(recording, part, evaluate(measures, part));
  }
  return total(sums, measures.ranks);
}

std::vector<Var> NetworkPotential::total(const std::vector<std::vector<Var>>& sums,
                                         const engine::Cluster& ranks) const {
  if (sums.size() == 1 && ranks.size() == 1) return sums.front();
  std::vector<Var> all;
  for (std::size_t p = 0; p < parameters_.size(); ++p) {
    Tensor sum = Tensor::zeros(parameters_[p]->shape());
    ranks.in_turn(sum.values(), [&] {
      for (const std::vector<Var>& of_measure : sums)
        engine::simd::kernels().axpy(sum.size(), 1, of_measure[p].value().data(), sum.data());
    });
    all.emplace_back(std::move(sum));
  }
  return all;
}

}  // namespace ot
