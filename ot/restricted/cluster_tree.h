#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ot/search/point_index.h"
#include "ot/target.h"

namespace ot {

/// The points of a target parted into clusters, these into smaller ones, and so on: layers 0 to L - 1 of nodes, of
/// which the last are the points, and the others stand for clusters by their mean, with the mass of their points. Layer
/// 0 are the children of the root, the only node above it.
class ClusterTree {
 public:
  /// Which node of layer l each node of layer l + 1 belongs to, l = 0, ..., L - 2.
  using Parents = std::vector<std::vector<std::int64_t>>;

  /// The target must outlive it. Throws Error where the last are not the parents of all points, and for one that is not
  /// among the nodes of its layer.
  ClusterTree(const Target& target, Parents parents);

  std::int64_t layers() const { return std::ssize(children_); }  ///< L
  std::int64_t size(std::int64_t layer) const { return nodes(layer).size(); }
  /// The centres of a layer and their mass, in the target's cost; of the last the target.
  const Target& nodes(std::int64_t layer) const { return *nodes_[static_cast<std::size_t>(layer)]; }
  /// The nodes of a layer that belong to a node of that above it and weigh something, in increasing order.
  std::span<const std::int64_t> children(std::int64_t layer, std::int64_t parent) const;
  /// The nodes above a layer: 1 for layer 0.
  std::int64_t nodes_above(std::int64_t layer) const { return layer == 0 ? 1 : size(layer - 1); }
  const Parents& parents() const { return parents_; }

 private:
  struct Children {
    std::vector<std::int64_t> first, nodes;  // those of parent p are nodes[first[p]], ..., nodes[first[p + 1] - 1]
  };
  void require_fitting(const Target& target) const;

  Parents parents_;
  std::vector<std::unique_ptr<const Target>> centres_;
  std::vector<const Target*> nodes_;
  std::vector<Children> children_;
};

/// The parents of a tree of branches.size() + 1 layers: k-means clusters of the points, branches[0] of them, each
/// parted into branches[1], and so on. Clusters have at least 2 points, and there are fewer where points do not allow
/// so many.
ClusterTree::Parents nested_clusters(const PointIndex& index, std::span<const std::int64_t> branches);

}  // namespace ot
