#include "ot/restricted/restricted_potential.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include "engine/ops/elementwise.h"
#include "engine/parallel.h"
#include "ot/assigned_cost.h"
#include "ot/c_transform.h"

namespace ot {

using engine::Tensor;
using engine::Var;

namespace {

std::string psi_name(std::int64_t layer) {
  return engine::text("psi.layer.", layer);
}
std::string parents_name(std::size_t layer) {
  return engine::text("clusters.", layer);
}

/// argmin c(x, m_i) - psi_i over some nodes, -1 where none is below infinity.
std::int64_t least(const Target& nodes, std::span<const std::int64_t> which, const real* x, const real* psi) {
  constexpr std::size_t ahead = 8;
  double lowest = std::numeric_limits<double>::infinity();
  std::int64_t found = -1;
  for (std::size_t i = 0; i < which.size(); ++i) {
    if (i + ahead < which.size()) nodes.prefetch(which[i + ahead]);
    if (const double value = nodes.cost(x, which[i]) - psi[which[i]]; value < lowest) lowest = value, found = which[i];
  }
  return found;
}

}  // namespace

RestrictedPotential::RestrictedPotential(const Target& target, ClusterTree::Parents parents)
    : target_(target), tree_(target, std::move(parents)) {
  for (std::int64_t layer = 0; layer < tree_.layers(); ++layer) psi_.push_back(Tensor::zeros({tree_.size(layer)}));
}

std::vector<std::vector<std::int64_t>> RestrictedPotential::nodes_of(const Tensor& x) const {
  require_transformable(tree_.nodes(0), x, psi(0), 0);
  const std::int64_t d = target_.dimension();
  const auto batch = static_cast<std::size_t>(x.dim(0)), layers = static_cast<std::size_t>(tree_.layers());
  std::vector<std::vector<std::int64_t>> nodes(layers, std::vector<std::int64_t>(batch, -1));
  nodes.front() = c_transform(tree_.nodes(0), x, psi(0), 0).winners;
  engine::parallel_for(x.dim(0), 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      std::int64_t node = nodes.front()[static_cast<std::size_t>(b)];
      for (std::int64_t layer = 1; layer < tree_.layers() && node >= 0; ++layer) {
        node = least(tree_.nodes(layer), tree_.children(layer, node), x.data() + b * d, psi(layer).data());
        nodes[static_cast<std::size_t>(layer)][static_cast<std::size_t>(b)] = node;
      }
    }
  });
  return nodes;
}

Var RestrictedPotential::semidual(const Var& x) const {
  const std::vector<std::vector<std::int64_t>> nodes = nodes_of(x.value());
  double beside = 0;
  for (std::int64_t layer = 0; layer < tree_.layers(); ++layer) {
    const real* values = psi(layer).data();
    const std::span<const double> weights = tree_.nodes(layer).weights();
    for (std::size_t i = 0; i < weights.size(); ++i) beside += weights[i] * values[i];
    for (const std::int64_t node : nodes[static_cast<std::size_t>(layer)])
      if (node >= 0) beside -= values[node] / static_cast<double>(x.dim(0));
  }
  return assigned_cost(target_, x, nodes.back()) + beside;
}

NamedTensors RestrictedPotential::state() const {
  NamedTensors tensors;
  for (std::int64_t layer = 0; layer < tree_.layers(); ++layer) tensors.emplace_back(psi_name(layer), psi(layer));
  const ClusterTree::Parents& parents = tree_.parents();
  for (std::size_t layer = 0; layer < parents.size(); ++layer) {
    Tensor as_reals({std::ssize(parents[layer])});
    std::ranges::transform(parents[layer], as_reals.data(), [](std::int64_t node) { return static_cast<real>(node); });
    tensors.emplace_back(parents_name(layer), as_reals);
  }
  return tensors;
}

void RestrictedPotential::restore(const NamedTensors& state) {
  ClusterTree::Parents parents = tree_.parents();
  for (std::size_t layer = 0; layer < parents.size(); ++layer) {
    const std::string name = parents_name(layer);
    const Tensor& saved = find(state, name, {std::ssize(parents[layer])});
    std::ranges::transform(saved.values(), parents[layer].begin(), [&](real node) { return whole_number(name, node); });
  }
  tree_ = ClusterTree(target_, std::move(parents));
  for (std::int64_t layer = 0; layer < tree_.layers(); ++layer)
    psi_[static_cast<std::size_t>(layer)] = find(state, psi_name(layer), {tree_.size(layer)}).clone();
}

}  // namespace ot
