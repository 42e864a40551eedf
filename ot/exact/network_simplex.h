#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ot/exact/integer_masses.h"

namespace ot {

/// Transport from sources with masses mu_i > 0 to targets with masses nu_j > 0 of the same sum, all integers, over a
/// list of arcs that may grow: a primal network simplex (Ahuja, Magnanti and Orlin, "Network flows", 1993, chapter 11).
/// The basis stays from one solve() to the next.
///
/// What no arc carries goes over a root, to which each arc is as dear as `dear`: more than any path between two points.
/// In units of 1 / step, each source has one more to give and the last target n more to take, so that no proper subset
/// of the points has as much to give as to take: no pivot is degenerate, each makes the plan cheaper, and there is an
/// end. Flows rounded to whole units are those without that.
class NetworkSimplex {
 public:
  struct Arc {
    std::int32_t source, target;
    Integer cost;
  };
  struct Flow {
    std::int32_t source, target;
    Integer mass;
  };

  /// Nothing overflows for fewer than 2^30 points, sums of at most 2^92 and `dear` of at most 2^123.
  NetworkSimplex(std::span<const Integer> mu, std::span<const Integer> nu, Integer dear);

  /// |cost| times the number of points must be at most `dear`. Arcs of a source should follow each other.
  void add(const Arc& arc) { arcs_.push_back(arc); }
  /// Makes the plan the best over the arcs; false where `go_on`, asked about each few milliseconds, said no.
  bool solve(const std::function<bool()>& go_on);

  /// The share of the mass that goes over the root.
  double unplaced() const;
  /// phi_i + psi_j <= c_ij for all arcs, with equality for those that carry mass.
  Integer phi(std::int32_t source) const;
  Integer psi(std::int32_t target) const { return psi_[static_cast<std::size_t>(target)]; }
  /// The mass on arcs, without that which goes over the root.
  std::vector<Flow> flows() const;

 private:
  using Node = std::int32_t;  // sources, then targets, then the root

  /// A node of the tree that the basis is, with the arc to its parent: from it if it is a source, to it if a target.
  /// Only nodes below which there are targets are among their parents' children: phi follows from psi, and of many
  /// sources for few targets nearly all are leaves, which a pivot need not visit.
  struct Place {
    Node parent, first_child, next, previous;
    std::int32_t depth;  // of targets and the root
    Integer cost, flow;
  };

  Place& at(Node node) { return tree_[static_cast<std::size_t>(node)]; }
  const Place& at(Node node) const { return tree_[static_cast<std::size_t>(node)]; }
  bool is_source(Node node) const { return node < sources_; }
  bool is_child(Node node) const;
  std::int32_t depth(Node node) const { return is_source(node) ? at(at(node).parent).depth + 1 : at(node).depth; }
  std::size_t block() const;
  const Arc* entering();
  std::int64_t pivot(const Arc& arc);
  void link(Node node);
  void unlink(Node node);
  std::int64_t shift_below(Node top, Integer shift);

  Node sources_, root_;
  Integer step_, total_ = 0;  // of a unit, of all mass
  std::vector<Place> tree_;
  std::vector<Integer> psi_;  // of targets and the root
  std::vector<Arc> arcs_;
  std::size_t next_ = 0;  // arc to look at
};

}  // namespace ot
