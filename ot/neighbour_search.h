#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "engine/tensor.h"
#include "ot/sketch.h"
#include "ot/target.h"

namespace ot {

/// A point y_j with u_j = c(x, y_j) - psi_j - lambda log(J nu_j), what a c-transform takes the (soft) minimum of.
struct Neighbour {
  std::int64_t index;
  double value;
};

/// Finds the points with the least u for each query, exactly, without looking at all points closely.
///
/// 1. The coarse bounds of a Sketch are computed for all queries and points; of each group of 16 points only the least
///    is kept. The true values of the points with the least bounds give a first cut.
/// 2. The groups whose least bound is below a query's cut are gone through once more, and the points whose coarse bound
///    is below it are asked for their fine bound.
/// 3. Those whose fine bound is below the cut too are asked for their true value, in double, in the order of their
///    bounds; the least value lowers the cut, and the search ends at the first bound above it.
///
/// Bounds are lowered by their rounding, so that it never hides a point. Where bounds don't separate the points the
/// sketch is fitted to the batch; where that doesn't help either, the search is not tried again for a while, so that
/// hostile data cost hardly more than the brute force alone.
class NeighbourSearch {
 public:
  /// The target must outlive it.
  explicit NeighbourSearch(const Target& target) : target_(target) {}

  /// For each row of x [B, d] all points with u <= least u + reach, in no particular order; empty for a query whose
  /// search was given up; nothing at all where the brute force is the better way. x, psi [J] and reach are finite. Not
  /// for two threads at once.
  std::optional<std::vector<std::vector<Neighbour>>> find(const engine::Tensor& x, const engine::Tensor& psi,
                                                          double lambda, double reach);

  /// What the last call computed for a query, on average: how well the bounds prune.
  struct Work {
    double groups = 0, fine_bounds = 0, values = 0;
    double terms = 0;  ///< of a softmin
    /// In units of one value; measured.
    double cost() const { return values + 0.7 * fine_bounds + 0.8 * groups + terms; }
  };
  const Work& work_per_query() const { return work_; }

 private:
  class Batch;
  struct Probe {
    bool helps;
    double cost;
  };
  Probe probe(const Batch& batch) const;
  static Work mean(const std::vector<Work>& works);
  double cost_of_fit(std::int64_t queries) const;  // a query's share
  bool fit_is_due(double cost, std::int64_t queries) const;

  const Target& target_;
  std::unique_ptr<Sketch> sketch_;  // made at the first call
  Work work_;
  double least_cost_ = std::numeric_limits<double>::infinity();  // of the Work of a call since the last fit
  double excess_ = 0;                                            // sum of the costs above it
  int patience_ = 1;
  double lambda_ = 0;             // of the last call
  int rest_ = 0, next_rest_ = 1;  // calls to leave to the brute force, now and after the next failure
};

}  // namespace ot
