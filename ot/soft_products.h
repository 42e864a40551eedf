#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ot/byte_products.h"
#include "ot/tiled_problem.h"

namespace ot {

/// The products x'.y' of a TiledProblem, as fine as the terms e^{-u / lambda} of a softmin need them.
///
/// In few digits products are fast, and the terms are off by a typical error of 2 scale / lambda times that of a
/// product. So the head of a query, its largest terms, is corrected by what the digits leave out; the other terms may
/// be off as far as their share of the sum allows: error x share <= 2^-17, were they all off to the same side. A sample
/// of the points tells where the heads would end for each number of digits, and so which is the fastest: for small
/// lambda few points are in a head, however large the error; for large lambda the error is small; three digits, as fine
/// as a float, need no heads. Without digits products are in real.
class SoftProducts {
 public:
  /// The problem must outlive it.
  SoftProducts(const TiledProblem& problem, double lambda);

  /// Begins with a block, whose products [block, rows] will stand at products + first_row(tile) block.size(). Looks for
  /// heads in a sample of the points.
  void start(QueryBlock block, real* products);
  /// Makes the products of a tile. Tiles may be made by several threads at a time.
  void multiply(std::int64_t tile) const;

 private:
  class Histogram;

  /// How far a term of query i is off, typically, relative to it.
  double term_error(std::int64_t i, int digits) const;
  bool fine(int digits) const;
  std::vector<Histogram> sample_terms(std::vector<real>& least) const;
  void choose_digits();

  const TiledProblem& problem_;
  double lambda_;
  std::optional<ByteProducts> bytes_;
  int digits_ = 0;
  std::vector<real> end_of_heads_;  // of u, of each query of the block; empty where none is needed
  QueryBlock block_ = {};
  real* products_ = nullptr;
};

}  // namespace ot
