#pragma once

#include <cstdint>
#include <vector>

#include "engine/tape.h"
#include "ot/named_tensors.h"
#include "ot/restricted/cluster_tree.h"

namespace ot {

/// A dual potential on the nodes of a tree of clusters, which sends x down the tree,
///
///     i_0 = argmin_i c(x, m_i) - psi_i over layer 0,  i_l = argmin_i c(x, m_i) - psi_i over the children of i_{l-1},
///
/// m_i the centre of a node, to the point y_{i_{L-1}} = T(x): the multi-layer transport map of Leclaire and Rabin, "A
/// stochastic multi-layer algorithm for semi-discrete optimal transport with applications to texture synthesis and
/// style transfer" (2021). It takes the costs to the children of L nodes, 2 sqrt(J) for L = 2, in place of J. T is
/// restricted, so that where it carries mu to nu its cost is W_0 at least. Starts at 0.
class RestrictedPotential {
 public:
  /// Of such a tree of the target, which must outlive it. Throws Error as ClusterTree does.
  RestrictedPotential(const Target& target, ClusterTree::Parents parents);

  const ClusterTree& tree() const { return tree_; }
  /// psi of a layer's nodes. Its memory is the potential's own.
  const engine::Tensor& psi(std::int64_t layer) const { return psi_[static_cast<std::size_t>(layer)]; }

  /// By layer the node that each row of x [B, d] comes to, the lowest of equals; -1 where x or psi is NaN. The last are
  /// T(x). Throws Error for an x that does not fit.
  std::vector<std::vector<std::int64_t>> nodes_of(const engine::Tensor& x) const;

  /// The restricted semi-dual of a batch x [B, d] -> scalar,
  ///
  ///     (1/B) sum_b c(x_b, T(x_b)) + sum over layers of sum_i nu(i) psi_i - (1/B) sum_b psi_{i(b)},
  ///
  /// with the gradient in x of the cost to T(x), held fixed. Where T carries the batch to nu the psi cancel, and it is
  /// the cost of T. With one cluster, or one for each point, it is H (99) at lambda = 0.
  engine::Var semidual(const engine::Var& x) const;

  /// `psi.layer.l` and the tree, `clusters.l` for its parents.
  NamedTensors state() const;
  /// Takes both back. Throws Error where a tensor is missing or has another shape, and for what is no tree.
  void restore(const NamedTensors& state);

 private:
  const Target& target_;
  ClusterTree tree_;
  std::vector<engine::Tensor> psi_;
};

}  // namespace ot
