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
/// the zeros that they share spare work (engine::CompactMatrix).
class Places {
 public:
  Places(const Target& target, std::span<const std::int64_t> order) : target_(target), order_(order) {}

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
    for (std::int64_t p = begin; p < end; ++p) at_places.data()[p - begin] = values.data()[point(p)];
    return at_places;
  }
  void scatter(const Tensor& at_places, std::int64_t begin, Tensor& values) const {
    for (std::int64_t p = 0; p < at_places.size(); ++p) values.data()[point(begin + p)] = at_places.data()[p];
  }

 private:
  std::int64_t point(std::int64_t place) const {
    return order_.empty() ? place : order_[static_cast<std::size_t>(place)];
  }

  const Target& target_;
  std::span<const std::int64_t> order_;
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

NetworkPotential::NetworkPotential(const PointIndex& index, std::function<Var(const Var&)> function,
                                   std::vector<Var*> parameters, const Options& options)
    : index_(index), function_(std::move(function)), parameters_(std::move(parameters)), options_(options) {
  engine::require(!parameters_.empty(), "[potential] a network must have parameters");
  engine::require(!options.bf16 || engine::has_bf16_products(), "[potential] bf16 needs a CPU with AVX-512 BF16");
}

NetworkPotential::Part NetworkPotential::part_from(const Points& points, std::int64_t begin) {
  return {begin, std::min(points.target.size(), begin + points_at_once)};
}

Var NetworkPotential::evaluate(const Points& points, Part part) const {
  const std::int64_t count = part.end - part.begin;
  const Tensor y = Places(points.target, points.order).rows(part.begin, part.end);
  const auto rounding = rounded_products(options_.bf16);
  const Var values = function_(y);
  engine::require(values.size() == count,
                  "[potential] a network must return one value for each point: ", values.shape(), " for ", count,
                  " points");
  return engine::reshape(values, {count});
}

void NetworkPotential::evaluate_rest(const Points& points, std::int64_t begin, Tensor& psi) const {
  const engine::NoGrad no_grad;
  for (Part part = part_from(points, begin); part.begin < points.target.size(); part = part_from(points, part.end)) {
    Places(points.target, points.order).scatter(evaluate(points, part).value(), part.begin, psi);
  }
}

Tensor NetworkPotential::values(const Points& points) const {
  Tensor psi({points.target.size()});
  evaluate_rest(points, 0, psi);
  return psi;
}

std::vector<Var> NetworkPotential::pull_back(const GradientInValues& gradient_in, const Points& points) {
  std::vector<Var> sums;
  Tensor gradient;
  // sum_j psi_j gradient_j over a part of the points has the part's share of the gradient.
  const auto share = [&](Part part, const Var& psi) {
    return engine::sum(engine::mul(psi, Places(points.target, points.order).gather(gradient, part.begin, part.end)));
  };
  Part part = part_from(points, 0);
  {
    Recording recording(parameters_, options_.bf16);
    std::vector<Var> kept;  // psi on the first parts, on the tape
    Tensor psi({points.target.size()});
    const std::int64_t before = engine::pool_statistics().used_bytes;
    const auto room = [&] {
      const std::int64_t used = engine::pool_statistics().used_bytes - before;
      return kept.empty() || used + used / static_cast<std::int64_t>(kept.size()) <= options_.memory;
    };
    for (; part.begin < points.target.size() && room(); part = part_from(points, part.end)) {
      kept.push_back(evaluate(points, part));
      Places(points.target, points.order).scatter(kept.back().value(), part.begin, psi);
    }
    evaluate_rest(points, part.begin, psi);
    {
      const engine::NoGrad no_grad;
      gradient = gradient_in(psi);
    }
    engine::require(gradient.shape() == psi.shape(),
                    "[potential] a gradient must have one value for each point of the target: ", gradient.shape(),
                    " against ", points.target.size());
    Part done = part_from(points, 0);
    for (const Var& values : kept) {
      recording.add_gradients(share(done, values), sums);
      done = part_from(points, done.end);
    }
  }
  for (; part.begin < points.target.size(); part = part_from(points, part.end)) {
    Recording recording(parameters_, options_.bf16);
    recording.add_gradients(share(part, evaluate(points, part)), sums);
  }
  return sums;
}

}  // namespace ot
