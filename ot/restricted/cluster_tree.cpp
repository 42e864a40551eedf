#include "ot/restricted/cluster_tree.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "engine/error.h"
#include "ot/clusters.h"

namespace ot {

using engine::require;
using engine::Tensor;

namespace {

/// The means of the points of each cluster, by their weights, with the sums of these.
std::unique_ptr<const Target> centres_of(const Target& target, const std::vector<std::int64_t>& clusters,
                                         std::int64_t count) {
  const auto d = static_cast<std::size_t>(target.dimension());
  std::vector<double> sums(static_cast<std::size_t>(count) * d), mass(static_cast<std::size_t>(count));
  std::vector<real> point(d), centres(sums.size());
  for (std::size_t j = 0; j < clusters.size(); ++j) {
    const auto cluster = static_cast<std::size_t>(clusters[j]);
    const double weight = target.weights()[j];
    target.rows(static_cast<std::int64_t>(j), static_cast<std::int64_t>(j) + 1, point.data());
    mass[cluster] += weight;
    for (std::size_t c = 0; c < d; ++c) sums[cluster * d + c] += weight * point[c];
  }
  for (std::size_t i = 0; i < sums.size(); ++i)
    if (mass[i / d] > 0) centres[i] = static_cast<real>(sums[i] / mass[i / d]);
  return std::make_unique<const Target>(std::move(centres), count, target.dimension(),
                                        Cost(target.scale(), target.ground_cost()), std::move(mass));
}

}  // namespace

ClusterTree::ClusterTree(const Target& target, Parents parents) : parents_(std::move(parents)) {
  require_fitting(target);
  // The cluster of each point in the layers from the last but one up.
  std::vector<std::int64_t> clusters(static_cast<std::size_t>(target.size()));
  std::iota(clusters.begin(), clusters.end(), 0);
  nodes_ = {&target};
  for (auto above = parents_.rbegin(); above != parents_.rend(); ++above) {
    for (std::int64_t& cluster : clusters) cluster = (*above)[static_cast<std::size_t>(cluster)];
    const std::int64_t count = above + 1 != parents_.rend() ? std::ssize(*(above + 1)) : 1 + std::ranges::max(*above);
    centres_.push_back(centres_of(target, clusters, count));
    nodes_.insert(nodes_.begin(), centres_.back().get());
  }
  for (std::size_t layer = 0; layer < nodes_.size(); ++layer) {
    const std::span<const double> weights = nodes_[layer]->weights();
    const auto parent_of = [&](std::int64_t node) {
      return layer == 0 ? 0 : parents_[layer - 1][static_cast<std::size_t>(node)];
    };
    Children& children = children_.emplace_back();
    for (std::int64_t node = 0; node < nodes_[layer]->size(); ++node)
      if (weights[static_cast<std::size_t>(node)] > 0) children.nodes.push_back(node);
    std::ranges::stable_sort(children.nodes, {}, parent_of);
    children.first.assign(static_cast<std::size_t>(layer == 0 ? 1 : nodes_[layer - 1]->size()) + 1, 0);
    for (const std::int64_t node : children.nodes) ++children.first[static_cast<std::size_t>(parent_of(node)) + 1];
    std::partial_sum(children.first.begin(), children.first.end(), children.first.begin());
  }
}

void ClusterTree::require_fitting(const Target& target) const {
  for (std::size_t l = 0; l < parents_.size(); ++l) {
    const bool last = l + 1 == parents_.size();
    require(!parents_[l].empty() && (!last || std::ssize(parents_[l]) == target.size()), "[cluster tree] each of the ",
            target.size(), " points must have a parent: ", parents_[l].size(), " have");
    const std::int64_t nodes = l == 0 ? std::ssize(parents_[l]) : std::ssize(parents_[l - 1]);
    for (const std::int64_t parent : parents_[l])
      require(parent >= 0 && parent < nodes, "[cluster tree] parents must be among the ", nodes,
              " nodes above: ", parent);
  }
}

std::span<const std::int64_t> ClusterTree::children(std::int64_t layer, std::int64_t parent) const {
  const Children& all = children_[static_cast<std::size_t>(layer)];
  const auto p = static_cast<std::size_t>(parent);
  return std::span(all.nodes).subspan(static_cast<std::size_t>(all.first[p]),
                                      static_cast<std::size_t>(all.first[p + 1] - all.first[p]));
}

ClusterTree::Parents nested_clusters(const PointIndex& index, std::span<const std::int64_t> branches) {
  const std::int64_t size = index.target().size(), k = index.directions().dim(0);
  Tensor x({size, k});
  index.coordinates(0, size, k, x.data());
  ClusterTree::Parents parents;
  // The points of each node of the layer above.
  std::vector<std::vector<std::int64_t>> parted(1, std::vector<std::int64_t>(static_cast<std::size_t>(size)));
  std::iota(parted.front().begin(), parted.front().end(), 0);
  for (std::size_t layer = 0; layer < branches.size(); ++layer) {
    std::vector<std::vector<std::int64_t>> parts;
    std::vector<std::int64_t> part_of;
    for (std::size_t node = 0; node < parted.size(); ++node) {
      Tensor rows({std::ssize(parted[node]), k});
      for (std::size_t i = 0; i < parted[node].size(); ++i)
        std::copy_n(x.data() + parted[node][i] * k, k, rows.data() + static_cast<std::int64_t>(i) * k);
      const std::vector<std::int64_t> found = k_means(rows, branches[layer]);
      const std::size_t before = parts.size();
      parts.resize(before + static_cast<std::size_t>(1 + std::ranges::max(found)));
      part_of.resize(parts.size(), static_cast<std::int64_t>(node));
      for (std::size_t i = 0; i < found.size(); ++i)
        parts[before + static_cast<std::size_t>(found[i])].push_back(parted[node][i]);
    }
    if (layer > 0) parents.push_back(std::move(part_of));
    parted = std::move(parts);
  }
  std::vector<std::int64_t>& of_points = parents.emplace_back(static_cast<std::size_t>(size));
  for (std::size_t node = 0; node < parted.size(); ++node)
    for (const std::int64_t j : parted[node]) of_points[static_cast<std::size_t>(j)] = static_cast<std::int64_t>(node);
  return parents;
}

}  // namespace ot
