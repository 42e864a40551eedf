#include "ot/dense/products.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/blas.h"
#include "engine/simd/kernels.h"
#include "ot/dense/block_shares.h"

namespace ot {

using engine::Tensor;
using engine::Transpose;
using engine::simd::block_size;
using engine::simd::kernels;

void Products::add_gradients(QueryBlock, std::int64_t tile, std::span<const double> weights, real* terms,
                             real* sums) const {
  if (!problem_.target.bytes().empty())
    add_bytes(tile, weights, terms, sums);
  else if (!add_few_points(tile, weights, terms, sums))
    add_all_points(tile, weights, terms, sums);
}

double Products::rounding(std::int64_t i, double, double size) const {
  // Half of what two of them may differ by.
  return 8 * std::numeric_limits<real>::epsilon() * (problem_.own_part(i) + size);
}

double Products::size(std::int64_t j) const {
  return problem_.target.scale() * problem_.target.centred_squared_norms()[static_cast<std::size_t>(j)] +
         std::abs(problem_.psi.data()[j]);
}

double Products::least_share() const {
  return std::ldexp(1.0, 4 - std::numeric_limits<real>::digits) / static_cast<double>(problem_.target.size());
}

// Where points are 8-bit.
void Products::add_bytes(std::int64_t tile, std::span<const double> weights, const real* terms, real* sums) const {
  const std::int64_t rows = problem_.rows(tile), d = problem_.target.dimension();
  const double least = least_share();
  std::vector<double> mass(weights.size());
  BlockShares shares(problem_.target);
  for (std::int64_t row = 0; row < rows; row += block_size) {
    const auto count = static_cast<std::size_t>(std::min(block_size, rows - row));
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const auto query = static_cast<std::int64_t>(i);
      mass[i] += shares.add(weights[i], least, {terms + query * rows + row, count}, sums + query * d);
    }
    shares.end_block(problem_.order.subspan(static_cast<std::size_t>(problem_.first_row(tile) + row), count));
  }
  for (std::size_t i = 0; i < mass.size(); ++i, sums += d)
    kernels().axpy(d, static_cast<real>(-mass[i]), problem_.target.mean().data(), sums);
}

// Point by point, where few matter; false where a product is faster.
bool Products::add_few_points(std::int64_t tile, std::span<const double> weights, const real* terms, real* sums) const {
  constexpr double most = 0.25;  // of the terms: a point costs four times its share of a product
  static constexpr real zeros[TiledProblem::tile_rows] = {};
  const std::int64_t rows = problem_.rows(tile), first = problem_.first_row(tile), d = problem_.target.dimension();
  const double least = least_share();
  std::vector<std::int32_t> found(weights.size() * static_cast<std::size_t>(rows));
  std::vector<std::int64_t> ends;  // of each query's part of `found`
  std::int64_t count = 0;
  const real* term = terms;
  for (const double weight : weights) {
    if (weight > 0)
      count += kernels().find_affine(rows, zeros, -1, term, static_cast<real>(-least / weight), found.data() + count);
    ends.push_back(count);
    term += rows;
  }
  if (static_cast<double>(count) > most * static_cast<double>(found.size())) return false;
  term = terms;
  std::int64_t f = 0;
  for (std::size_t i = 0; i < weights.size(); ++i, term += rows, sums += d) {
    double mass = 0;
    for (; f < ends[i]; ++f) {
      const std::int32_t row = found[static_cast<std::size_t>(f)];
      const double p = weights[i] * term[row];
      mass += p;
      problem_.target.add_point(problem_.order[static_cast<std::size_t>(first + row)], static_cast<real>(p), sums);
    }
    if (mass > 0) kernels().axpy(d, static_cast<real>(-mass), problem_.target.mean().data(), sums);
  }
  return true;
}

void Products::add_all_points(std::int64_t tile, std::span<const double> weights, real* terms, real* sums) const {
  const std::int64_t rows = problem_.rows(tile), d = problem_.target.dimension();
  real* term = terms;
  for (const double weight : weights) {
    kernels().scale(rows, static_cast<real>(weight), term, term);
    term += rows;
  }
  Tensor points({rows, d});
  problem_.centred_points(tile, points.data());
  engine::gemm_single(Transpose::no, Transpose::no, std::ssize(weights), d, rows, 1, terms, rows, points.data(), d, 1,
                      sums, d);
}

void RealProducts::fill(QueryBlock block, std::int64_t tile, real* products) const {
  const std::int64_t count = problem_.rows(tile), d = problem_.target.dimension();
  Tensor points({count, d});
  problem_.centred_points(tile, points.data());
  engine::gemm_single(Transpose::no, Transpose::yes, block.size(), count, d, 1,
                      problem_.queries.data() + block.begin * d, d, points.data(), d, 0, products, count);
}

}  // namespace ot
