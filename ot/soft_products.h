#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ot/tiled_problem.h"

namespace ot {

/// The products x'.y' of a TiledProblem, as fine as the terms e^{-u / lambda} of a softmin need them.
///
/// The fewer digits, the faster, and the larger the typical error of a term: 2 scale / lambda times that of a product.
/// Where it matters, the head of a query, its terms above a share of the largest, is corrected by what the digits leave
/// out: of all other terms, errors weigh the less the smaller they are. Of one and two digits the first are taken whose
/// heads are small, else three, as fine as a float. For small lambda few points are in a head, however large the error,
/// for large lambda the error is small. Without digits products are in real.
class SoftProducts {
 public:
  /// The problem must outlive it.
  SoftProducts(const TiledProblem& problem, double lambda);

  /// Begins with a block, whose products [block, rows] will stand at products + first_row(tile) block.size(). Looks for
  /// heads in a sample of the tiles.
  void start(QueryBlock block, real* products);
  /// Makes the products of a tile. Tiles may be made by several threads at a time.
  void multiply(std::int64_t tile) const;

 private:
  /// Products in one or two digits, and how far above the least u the heads end that they need; 0 for none.
  struct Attempt {
    ByteProducts products;
    real reach;
  };

  real* products(std::int64_t tile) const { return products_ + problem_.first_row(tile) * block_.size(); }
  void multiply(const Attempt& attempt, std::int64_t tile) const;
  bool heads_are_small(const Attempt& attempt);
  template <class Visit>
  void for_each_head(std::int64_t tile, const Visit& visit) const;

  const TiledProblem& problem_;
  std::vector<Attempt> attempts_;  // with ever more digits
  std::size_t chosen_ = 0;         // one of them, or their number for
  std::optional<FineProducts> fine_;
  QueryBlock block_ = {};
  real* products_ = nullptr;
  std::vector<real> end_of_heads_;  // of each query of the block
};

}  // namespace ot
