#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/tensor.h"
#include "ot/byte_products.h"
#include "ot/named_tensors.h"
#include "ot/neighbour.h"
#include "ot/sketch.h"
#include "ot/softmin_terms.h"
#include "ot/target.h"

namespace ot {

/// Finds the points with the least u for each query, exactly, without looking at all points closely: bounds for all
/// pairs (BatchBounds) tell which few points may be the nearest (find_nearest) or matter in a softmin (find_terms).
///
/// Where bounds don't separate the points the sketch is fitted to the batch; where that doesn't help either, the search
/// is not tried again for a while, so that hostile data cost hardly more than the brute force alone.
class NeighbourSearch {
 public:
  /// Fewer points than this are multiplied out as fast as they are searched.
  static constexpr std::int64_t fewest_points = 2048;

  /// The target must outlive it.
  explicit NeighbourSearch(const Target& target) : target_(target) {}

  /// For each row of x [B, d] all points with u <= least u + reach at lambda = 0, in no particular order, none for a
  /// query whose search was given up. Nothing at all where the brute force is the better way. x, psi [J] and reach are
  /// finite. Not for two threads at once.
  std::optional<std::vector<std::vector<Neighbour>>> nearest(const engine::Tensor& x, const engine::Tensor& psi,
                                                             double reach);
  /// The same for lambda > 0: the terms that matter, which leave out at most 2 J e^{-reach / lambda} of a sum.
  std::optional<SoftminTerms> terms(const engine::Tensor& x, const engine::Tensor& psi, double lambda, double reach);

  /// What decides between ways that differ in rounding at lambda > 0, so that a run that goes on from it ends with the
  /// same bits: `search.directions` and `search.policy`; nothing before the first call. restore() takes those of older
  /// programs, leaves the search as it is where there are none, or those of a level that fits another number of
  /// directions, and throws Error where they have another shape. order() stays where it is.
  NamedTensors state() const;
  void restore(const NamedTensors& state, double lambda);

  /// Sketch::order().
  const std::vector<std::int64_t>& order() { return sketch().order(); }
  /// The points of 8 bits in that order; null where they aren't multiplied in digits.
  ByteBlocks* blocks() { return sketch().byte_blocks(); }
  /// What the last call computed for a query, on average.
  const SearchWork& work_per_query() const { return work_; }

 private:
  class Batch;
  Sketch& sketch();
  std::unique_ptr<Batch> rest();
  std::unique_ptr<Batch> begin(const engine::Tensor& x, const engine::Tensor& psi, double lambda, double reach);
  void end(const SearchWork& work);

  const Target& target_;
  std::unique_ptr<Sketch> sketch_;           // made when it is first needed
  std::vector<std::int64_t> squared_norms_;  // for ByteDistances, made when they are first needed
  SearchWork work_;
  static constexpr real unlimited = std::numeric_limits<real>::max();
  real last_cost_ = unlimited;
  real least_cost_ = unlimited;  // of a call since the last fit
  real excess_ = 0;              // sum of the costs above it
  int patience_ = 1;
  real spared_ = unlimited;       // work, against the brute force, since the last fit; this before it and after a rest
  double lambda_ = 0;             // of the last call
  int without_boxes_ = 0;         // calls to come
  int rest_ = 0, next_rest_ = 1;  // calls to leave to the brute force, now and after the next failure
};

/// NeighbourSearch::order(), in which points that are like each other stand together; empty for a target that is not
/// searched.
std::span<const std::int64_t> order_of_neighbours(const Target& target);

/// NeighbourSearch::blocks(), null for a target that is not searched.
ByteBlocks* blocks_of_neighbours(const Target& target);

}  // namespace ot
