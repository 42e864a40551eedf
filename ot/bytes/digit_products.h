#pragma once

#include "ot/bytes/byte_products.h"
#include "ot/dense/products.h"

namespace ot {

/// The products of a TiledProblem, whose points stand in the order of the blocks, in so many digits.
class DigitProducts : public Products {
 public:
  /// All must outlive it.
  DigitProducts(const TiledProblem& problem, const ByteProducts& products, ByteBlocks& blocks, int digits)
      : Products(problem), products_(products), blocks_(blocks), digits_(digits) {}

  void fill(QueryBlock block, std::int64_t tile, real* out) const override {
    const std::int64_t rows = problem_.rows(tile);
    products_.multiply(digits_, block.begin, block.end, blocks_, problem_.first_row(tile), rows, out, rows);
  }

 private:
  const ByteProducts& products_;
  ByteBlocks& blocks_;
  int digits_;
};

}  // namespace ot
