#include "ot/restricted/restricted_ascent.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>

#include "engine/error.h"

namespace ot {

using engine::require;
using engine::Tensor;

RestrictedAscent::RestrictedAscent(RestrictedPotential& potential, double rate, double decay)
    : potential_(potential), rate_(rate), decay_(decay) {
  set_rate(rate);
  require(decay >= 0 && decay <= 1, "[restricted ascent] the decay must be in [0, 1]: ", decay);
}

void RestrictedAscent::set_rate(double rate) {
  require(rate > 0 && std::isfinite(rate), "[restricted ascent] the rate must be positive and finite: ", rate);
  rate_ = rate;
}

void RestrictedAscent::begin() {
  const ClusterTree& tree = potential_.tree();
  layers_.clear();
  for (std::int64_t layer = 0; layer < tree.layers(); ++layer)
    layers_.push_back(
        {std::vector<std::int64_t>(static_cast<std::size_t>(tree.nodes_above(layer))), Tensor({tree.size(layer)})});
}

void RestrictedAscent::step(const Tensor& x) {
  const std::vector<std::vector<std::int64_t>> nodes = potential_.nodes_of(x);
  for (std::int64_t layer = 0; layer < potential_.tree().layers(); ++layer) {
    const auto l = static_cast<std::size_t>(layer);
    std::map<std::int64_t, std::vector<std::int64_t>> hits;  // of each parent's children
    for (std::size_t b = 0; b < nodes[l].size(); ++b)
      if (nodes[l][b] >= 0) hits[layer == 0 ? 0 : nodes[l - 1][b]].push_back(nodes[l][b]);
    for (const auto& [parent, of_parent] : hits) move(layer, parent, of_parent, static_cast<double>(x.dim(0)));
  }
}

void RestrictedAscent::move(std::int64_t layer, std::int64_t parent, const std::vector<std::int64_t>& hits,
                            double batch) {
  const ClusterTree& tree = potential_.tree();
  const std::span<const std::int64_t> children = tree.children(layer, parent);
  const std::span<const double> mass = tree.nodes(layer).weights();
  Layer& at = layers_[static_cast<std::size_t>(layer)];
  Tensor psi = potential_.psi(layer);
  const auto steps = static_cast<double>(++at.steps[static_cast<std::size_t>(parent)]);
  const double length = rate_ / std::pow(steps, decay_) / batch;
  double of_parent = 0;
  for (const std::int64_t child : children) of_parent += mass[static_cast<std::size_t>(child)];
  const double rise = length * static_cast<double>(hits.size()) / of_parent;
  for (const std::int64_t child : children)
    psi.data()[child] += static_cast<real>(rise * mass[static_cast<std::size_t>(child)]);
  for (const std::int64_t child : hits) psi.data()[child] -= static_cast<real>(length);
  real* const mean = at.mean.data();
  for (const std::int64_t child : children)
    mean[child] =
        steps == 1 ? psi.data()[child] : mean[child] + (psi.data()[child] - mean[child]) / static_cast<real>(steps);
}

void RestrictedAscent::finish() {
  const ClusterTree& tree = potential_.tree();
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const auto layer = static_cast<std::int64_t>(l);
    Tensor psi = potential_.psi(layer);
    for (std::size_t parent = 0; parent < layers_[l].steps.size(); ++parent)
      if (layers_[l].steps[parent] > 0)
        for (const std::int64_t child : tree.children(layer, static_cast<std::int64_t>(parent)))
          psi.data()[child] = layers_[l].mean.data()[child];
  }
  layers_.clear();
}

}  // namespace ot
