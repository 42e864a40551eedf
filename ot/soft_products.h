#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ot/tiled_problem.h"

namespace ot {

/// The products x'.y' of a TiledProblem, as fine as the terms e^{-u / lambda} of a softmin need them.
///
/// Two digits take two thirds of the time of three, and do where the typical error of a term, 2 scale / lambda times
/// that of a product, is small. For smaller lambda the head of a query, its terms above a share of the largest, is
/// corrected by what the digits leave out: of all other terms, errors weigh the less the smaller they are. Where heads
/// are large, three digits are cheaper. Without digits products are in real.
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
  enum class Heads { none, some, many };
  real* products(std::int64_t tile) const { return products_ + problem_.first_row(tile) * block_.size(); }
  bool sampled(std::int64_t tile) const;
  void multiply_two_digits(std::int64_t tile) const;
  template <class Visit>
  void for_each_head(std::int64_t tile, const Visit& visit) const;

  const TiledProblem& problem_;
  std::optional<ByteProducts> two_digits_;
  real reach_ = 0;  // how far above the least u heads end
  QueryBlock block_ = {};
  real* products_ = nullptr;
  Heads heads_ = Heads::none;
  std::vector<real> end_of_heads_;  // of each query of the block
};

}  // namespace ot
