#include "ot/exact/network_simplex.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace ot {

namespace {
constexpr std::int32_t none = -1;
/// Arcs looked at and nodes visited between two questions whether to go on.
constexpr std::int64_t work_between = 1 << 20;
}  // namespace

NetworkSimplex::NetworkSimplex(std::span<const Integer> mu, std::span<const Integer> nu, Integer dear)
    : sources_(static_cast<Node>(mu.size())),
      root_(static_cast<Node>(mu.size() + nu.size())),
      step_(static_cast<Integer>(std::bit_ceil(2 * (mu.size() + nu.size())))),
      tree_(mu.size() + nu.size() + 1, Place{root_, none, none, none, 1, dear, 0}),
      psi_(nu.size() + 1, dear) {
  at(root_) = {none, none, none, none, 0, 0, 0};
  psi_.back() = 0;
  for (std::size_t i = 0; i < mu.size(); ++i) total_ += tree_[i].flow = step_ * mu[i] + 1;
  for (std::size_t j = 0; j < nu.size(); ++j) tree_[mu.size() + j].flow = step_ * nu[j];
  at(root_ - 1).flow += sources_;
  for (Node target = sources_; target < root_; ++target) link(target);
}

double NetworkSimplex::unplaced() const {
  Integer over_root = 0;
  for (Node source = 0; source < sources_; ++source)
    if (at(source).parent == root_) over_root += at(source).flow;
  return static_cast<double>(over_root) / static_cast<double>(total_);
}

Integer NetworkSimplex::phi(std::int32_t source) const {
  const Place& place = at(source);
  return place.cost - psi(place.parent - sources_);
}

/// Arcs of which the best enters the basis.
std::size_t NetworkSimplex::block() const {
  return std::max<std::size_t>(10, static_cast<std::size_t>(std::sqrt(static_cast<double>(arcs_.size()))));
}

bool NetworkSimplex::solve(const std::function<bool()>& go_on) {
  std::int64_t work = 0;
  for (const Arc* arc = entering(); arc != nullptr; arc = entering()) {
    work += static_cast<std::int64_t>(block()) + pivot(*arc);
    if (work < work_between) continue;
    work = 0;
    if (go_on && !go_on()) return false;
  }
  return true;
}

/// The arc of the most negative reduced cost in the first block of arcs that has one, null at the optimum.
const NetworkSimplex::Arc* NetworkSimplex::entering() {
  const Arc* found = nullptr;
  Integer least = 0, source_phi = 0;
  Node source = none;
  for (std::size_t looked = 0, left = block(); looked < arcs_.size(); ++looked) {
    const Arc& arc = arcs_[next_];
    if (++next_ == arcs_.size()) next_ = 0;
    if (arc.source != source) source = arc.source, source_phi = phi(source);
    const Integer reduced = arc.cost - source_phi - psi(arc.target);
    if (reduced < least) least = reduced, found = &arc;
    if (--left > 0) continue;
    if (found != nullptr) break;
    left = block();
  }
  return found;
}

/// Sends as much along the arc as the cycle that it closes in the tree can take back; what then carries nothing leaves
/// the tree. The number of nodes that were visited.
std::int64_t NetworkSimplex::pivot(const Arc& arc) {
  const Node source = arc.source, target = sources_ + arc.target;
  const Integer reduced = arc.cost - phi(source) - psi(arc.target);
  // Up from the source arcs of sources lose mass, up from the target those of targets.
  Node leaving = none, u = source, v = target;
  bool below_source = false;
  while (u != v) {
    const bool from_source = depth(u) >= depth(v);
    Node& node = from_source ? u : v;
    if (is_source(node) == from_source && (leaving == none || at(node).flow < at(leaving).flow))
      leaving = node, below_source = from_source;
    node = at(node).parent;
  }
  const Integer moved = at(leaving).flow;
  std::int64_t visited = 0;
  for (Node node = source; node != u; node = at(node).parent, ++visited)
    at(node).flow += is_source(node) ? -moved : moved;
  for (Node node = target; node != u; node = at(node).parent, ++visited)
    at(node).flow += is_source(node) ? moved : -moved;

  // The part of the tree below the leaving arc is hung up anew, by the end of the entering arc that lies in it.
  const Node top = below_source ? source : target;
  Integer flow = moved, cost = arc.cost;
  for (Node node = top, parent = below_source ? target : source;;) {
    const Node next = at(node).parent;
    if (is_child(node)) unlink(node);
    at(node).parent = parent;
    std::swap(flow, at(node).flow);
    std::swap(cost, at(node).cost);
    if (is_child(node)) link(node);
    if (node == leaving) break;
    parent = node;
    node = next;
  }
  return visited + shift_below(top, below_source ? -reduced : reduced);
}

bool NetworkSimplex::is_child(Node node) const {
  return !is_source(node) || at(node).first_child != none;
}

void NetworkSimplex::link(Node node) {
  Place &place = at(node), &parent = at(place.parent);
  const bool was_child = is_child(place.parent);
  place.previous = none;
  place.next = parent.first_child;
  if (place.next != none) at(place.next).previous = node;
  parent.first_child = node;
  if (!was_child) link(place.parent);
}

void NetworkSimplex::unlink(Node node) {
  const Place& place = at(node);
  if (place.next != none) at(place.next).previous = place.previous;
  if (place.previous != none) {
    at(place.previous).next = place.next;
    return;
  }
  if (place.next == none && is_source(place.parent)) unlink(place.parent);
  at(place.parent).first_child = place.next;
}

/// Adds `shift` to psi below a node, and counts depths and nodes there.
std::int64_t NetworkSimplex::shift_below(Node top, Integer shift) {
  if (!is_child(top)) return 1;
  std::int64_t visited = 0;
  for (Node node = top;; ++visited) {
    if (!is_source(node)) {
      at(node).depth = depth(at(node).parent) + 1;
      psi_[static_cast<std::size_t>(node - sources_)] += shift;
    }
    if (at(node).first_child != none) {
      node = at(node).first_child;
      continue;
    }
    while (node != top && at(node).next == none) node = at(node).parent;
    if (node == top) return visited;
    node = at(node).next;
  }
}

std::vector<NetworkSimplex::Flow> NetworkSimplex::flows() const {
  std::vector<Flow> flows;
  for (Node node = 0; node < root_; ++node) {
    const Place& place = at(node);
    const Integer mass = (place.flow + step_ / 2) / step_;
    if (mass == 0 || place.parent == root_) continue;
    const Node source = is_source(node) ? node : place.parent, target = is_source(node) ? place.parent : node;
    flows.push_back({source, target - sources_, mass});
  }
  return flows;
}

}  // namespace ot
