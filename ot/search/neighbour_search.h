#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/tensor.h"
#include "ot/bytes/byte_products.h"
#include "ot/search/neighbour.h"
#include "ot/search/point_index.h"
#include "ot/search/search_policy.h"
#include "ot/search/search_work.h"
#include "ot/search/sketch.h"
#include "ot/search/softmin_terms.h"

namespace ot {

/// Finds the points with the least u for each query, exactly, without looking at all points closely: bounds for all
/// pairs (BatchBounds) tell which few points may be the nearest (NearestSearch) or matter in a softmin (TermSearch).
///
/// The sketch is fitted to a batch, and fitted again or given up as SearchPolicy says; at lambda > 0, where a fit
/// changes how sums are rounded, also fitted after each restart().
class NeighbourSearch {
 public:
  /// The index, and the points of 8 bits laid out in its order, null where they aren't multiplied in digits, must
  /// outlive it.
  NeighbourSearch(const PointIndex& index, ByteBlocks* blocks) : index_(index), blocks_(blocks) {}

  /// From here on no bit of what is computed depends on what was before.
  void restart();

  /// For each row of x [B, d] all points with u <= least u + reach at lambda = 0, in no particular order, none for a
  /// query whose search was given up. Nothing at all where the brute force is the better way. x, psi [J] and reach are
  /// finite.
  std::optional<std::vector<std::vector<Neighbour>>> nearest(const engine::Tensor& x, const engine::Tensor& psi,
                                                             double reach);
  /// The same for lambda > 0: the terms that matter, which leave out at most 2 J e^{-reach / lambda} of a sum.
  std::optional<SoftminTerms> terms(const engine::Tensor& x, const engine::Tensor& psi, double lambda, double reach);

  /// What the last call computed for a query, on average.
  const SearchWork& work_per_query() const { return work_; }

 private:
  class Batch;
  std::unique_ptr<Batch> begin(const engine::Tensor& x, const engine::Tensor& psi, double lambda, double reach);

  const PointIndex& index_;
  ByteBlocks* blocks_;
  std::unique_ptr<Sketch> sketch_;  // made when it is first needed
  SearchWork work_;
  double lambda_ = 0;  // of the last call
  SearchPolicy policy_;
};

}  // namespace ot
